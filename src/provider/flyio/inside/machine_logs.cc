// Pages of a log, cut to what was requested.
#include <deque>

#include "provider/flyio/api/transport/backoff.h"
#include "provider/flyio/fly_parts.h"

namespace swarm::flyio {
namespace {

constexpr int kMaxPages = 50;  ///< of a log that is not followed, which may grow faster than it is read
/// Newest bytes kept of those pages: the workspace writes lines of any length.
constexpr std::size_t kMaxBeginning = 4 * 1024 * 1024;

class FlyLogReader final : public LogSource::Reader {
 public:
  FlyLogReader(MachinesClient& web, const Machine& machine, LogSource::Options options)
      : web_(web), app_(machine.app), machine_(machine.id), options_(options) {}

  awaitable<std::string> next(Deadline deadline) override {
    if (!begun_) {
      begun_ = true;
      if (std::string text = co_await readBeginning(deadline); !text.empty() || !options_.follow) co_return text;
    }
    while (options_.follow) {
      co_await pauseFor(web_.tuning().logInterval, deadline, "Timed out waiting for output of the Machine.");
      if (std::string text = joined(co_await readPage(deadline)); !text.empty()) co_return text;
    }
    co_return "";
  }

 private:
  /// Lines since the requested time.
  awaitable<std::vector<LogLine>> readPage(Deadline deadline) {
    MachinesClient::LogPage page = co_await web_.readLog(app_, machine_, token_, deadline);
    token_ = std::move(page.nextToken);
    has_more_ = !page.lines.empty();
    if (options_.since) std::erase_if(page.lines, [this](const LogLine& line) { return line.at < *options_.since; });
    co_return std::move(page.lines);
  }

  awaitable<std::string> readBeginning(Deadline deadline) {
    std::deque<LogLine> lines;
    std::size_t bytes = 0;
    for (int pages = 0; pages < kMaxPages && has_more_; ++pages) {
      std::vector<LogLine> more = co_await readPage(deadline);
      for (LogLine& line : more) {
        bytes += line.text.size();
        lines.push_back(std::move(line));
        while (!lines.empty() && (bytes > kMaxBeginning || (options_.tail && std::ssize(lines) > *options_.tail))) {
          bytes -= lines.front().text.size();
          lines.pop_front();
        }
      }
    }
    co_return joined(lines);
  }

  static std::string joined(const auto& lines) {
    std::string text;
    for (const LogLine& line : lines) {
      text += line.text;
      if (!text.ends_with('\n')) text += '\n';
    }
    return text;
  }

  MachinesClient& web_;
  std::string app_, machine_;
  LogSource::Options options_;
  std::string token_;
  bool begun_ = false;
  bool has_more_ = true;
};

}  // namespace

awaitable<std::unique_ptr<LogSource::Reader>> openLog(FlyParts& parts, PlaceId place_id, LogSource::Options options, Deadline deadline) {
  Machine machine = co_await parts.machines.require(std::move(place_id), deadline);
  co_return std::make_unique<FlyLogReader>(parts.web, machine, options);
}

}  // namespace swarm::flyio
