// Readers for the Engine's stream formats.
#include "provider/docker/engine_stream.h"

#include <boost/json/parse.hpp>

#include "base/format.h"
#include "provider/docker/engine_client.h"

namespace swarm::docker {

std::optional<std::string> LineReader::next() {
  auto end = buffer_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

void PullProgress::read(std::string_view line, Progress& progress) {
  boost::system::error_code error;
  json::value event = json::parse(line, error);
  if (error) return;
  if (std::string message = stringAt(event, "errorDetail.message"); !message.empty()) {
    error_ = message;
    return;
  }
  std::string id = stringAt(event, "id");
  std::string status = stringAt(event, "status");
  if (id.empty()) return;
  if (status == "Pulling fs layer" || status == "Already exists") layers_.try_emplace(id);
  auto layer = layers_.find(id);
  if (layer == layers_.end()) return;
  if (status == "Downloading") {
    layer->second.done = integerAt(event, "progressDetail.current");
    layer->second.total = integerAt(event, "progressDetail.total");
  } else if (status == "Pull complete" || status == "Already exists") {
    layer->second.complete = true;
    layer->second.done = layer->second.total;
  }
  std::int64_t done = 0, total = 0, complete = 0;
  for (const auto& [name, one] : layers_) {
    done += one.done;
    total += one.total;
    complete += one.complete ? 1 : 0;
  }
  progress.detail(format("layer {} of {}", complete, layers_.size()), done, total);
}

std::optional<FrameReader::Frame> FrameReader::next() {
  while (left_ == 0) {
    if (broken_ || buffer_.size() < 8) return std::nullopt;
    auto byte = [this](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(buffer_[at])); };
    if (byte(0) > 2 || byte(1) != 0 || byte(2) != 0 || byte(3) != 0) {
      broken_ = true;
      return std::nullopt;
    }
    stream_ = static_cast<int>(byte(0));
    left_ = byte(4) << 24 | byte(5) << 16 | byte(6) << 8 | byte(7);
    buffer_.erase(0, 8);
  }
  if (buffer_.empty()) return std::nullopt;
  Frame frame{stream_, buffer_.substr(0, left_)};
  buffer_.erase(0, frame.data.size());
  left_ -= frame.data.size();
  return frame;
}

}  // namespace swarm::docker
