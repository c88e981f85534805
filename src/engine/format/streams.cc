#include "engine/format/streams.h"

#include <boost/json/parse.hpp>
#include <utility>

#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "engine/client.h"

namespace swarm::engine {

namespace json = boost::json;

namespace {

/// Removes what was read when more arrives: once for each piece, not for each line.
void append(std::string& buffer, std::size_t& begin, std::string_view piece) {
  buffer.erase(0, begin);
  begin = 0;
  buffer += piece;
}

}  // namespace

void LineReader::add(std::string_view piece) {
  append(buffer_, begin_, piece);
  if (buffer_.size() > kMaxLine && buffer_.find('\n') == std::string::npos) {
    buffer_.clear();
    dropping_ = true;
  }
}

std::optional<std::string> LineReader::next() {
  for (;;) {
    auto end = buffer_.find('\n', begin_);
    if (end == std::string::npos) return std::nullopt;
    std::string line = buffer_.substr(begin_, end - begin_);
    begin_ = end + 1;
    if (!std::exchange(dropping_, false) && line.size() <= kMaxLine) return line;
  }
}

void PullProgress::read(std::string_view line, const PullReport& report) {
  boost::system::error_code error;
  json::value event = json::parse(line, error);
  if (error) return;
  if (std::string message = stringAt(event, "errorDetail.message"); !message.empty()) {
    error_ = printable(message);
    return;
  }
  std::string id = stringAt(event, "id");
  std::string status = stringAt(event, "status");
  if (id.empty()) return;
  if ((status == "Pulling fs layer" || status == "Already exists") && layers_.size() < kMaxLayers) layers_.try_emplace(id);
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
  report(format("layer {} of {}", complete, layers_.size()), done, total);
}

void FrameReader::add(std::string_view piece) { append(buffer_, begin_, piece); }

std::optional<FrameReader::Frame> FrameReader::next() {
  while (left_ == 0) {
    if (broken_ || unread().size() < 8) return std::nullopt;
    auto byte = [head = unread()](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(head[at])); };
    if (byte(0) > 2 || byte(1) != 0 || byte(2) != 0 || byte(3) != 0) {
      broken_ = true;
      return std::nullopt;
    }
    stream_ = static_cast<int>(byte(0));
    left_ = byte(4) << 24 | byte(5) << 16 | byte(6) << 8 | byte(7);
    begin_ += 8;
  }
  if (unread().empty()) return std::nullopt;
  Frame frame{stream_, std::string(unread().substr(0, left_))};
  begin_ += frame.data.size();
  left_ -= frame.data.size();
  return frame;
}

}  // namespace swarm::engine
