// Formats steps, and redraws the live line.
#include "cli/output/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdio>

#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "cli/output/output.h"
#include "cli/output/quantities.h"

namespace swarm::cli {
namespace {

constexpr int kBarCells = 12;

std::string seconds(const OperationStep& step, SystemTime now) {
  SystemTime end = step.endedAt.time_since_epoch().count() ? step.endedAt : now;
  double elapsed = static_cast<double>((end - step.startedAt).count()) / 1000.0;
  return format("{:.2f} s", elapsed < 0 ? 0.0 : elapsed);
}

const char* mark(OperationStatus status) {
  switch (status) {
    case OperationStatus::succeeded:
      return "✓";
    case OperationStatus::failed:
      return "✗";
    case OperationStatus::cancelled:
      return "-";
    default:
      return "…";
  }
}

/// Between 0 and 1, by bytes if they are known, otherwise by files; negative: unknown.
double fractionOf(const OperationStep& step) {
  const auto part = [](std::int64_t done, std::int64_t total) {
    return std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
  };
  if (step.bytesTotal > 0) return part(step.bytesDone, step.bytesTotal);
  if (step.filesTotal > 0) return part(step.filesDone, step.filesTotal);
  return -1;
}

std::string bar(double fraction) {
  const int full = static_cast<int>(fraction * kBarCells);
  std::string text = "[";
  for (int cell = 0; cell < kBarCells; ++cell) text += cell < full ? "█" : "░";
  return text + format("] {:>3} %", static_cast<int>(fraction * 100));
}

std::string timeLeft(const OperationStep& step) {
  if (step.bytesPerSecond <= 0 || step.bytesTotal <= step.bytesDone) return {};
  return format("about {} left", durationText((step.bytesTotal - step.bytesDone) / step.bytesPerSecond + 1));
}

std::string filesText(const OperationStep& step) {
  return step.filesTotal > 0 ? format("{} of {} files", countText(step.filesDone), countText(step.filesTotal)) : std::string();
}

/// Whether the detail ("12,345 of 100,000 files, 45 MB/s") only repeats the numbers of the line.
bool repeatsNumbers(const OperationStep& step) {
  return step.filesTotal > 0 && (step.detail.empty() || step.detail.starts_with(countText(step.filesDone) + " of "));
}

/// Unlike the last activity of a step ("stop Machine"): "It is done later: …".
bool isSentence(const std::string& detail) { return !detail.empty() && std::isupper(static_cast<unsigned char>(detail.front())) != 0; }

/// The reason for a wait is never left out; it is cut at the end of the line.
constexpr int kDetail = 0;

/// A part of the live line. The highest `order` is left out first, 0 never.
struct Part {
  int order;
  std::string text;
};

std::vector<Part> partsOf(const OperationStep& step, SystemTime now) {
  std::vector<Part> parts{{0, format("  {} {}", mark(step.status), printable(step.name))}};
  const auto add = [&](int order, std::string text) {
    if (!text.empty()) parts.push_back({order, std::move(text)});
  };
  if (const double fraction = fractionOf(step); fraction >= 0) {
    add(1, bar(fraction));
    add(2, step.bytesTotal > 0 ? format("{} of {}", bytesText(step.bytesDone), bytesText(step.bytesTotal)) : std::string());
    add(5, filesText(step));
    add(4, step.bytesPerSecond > 0 ? bytesText(step.bytesPerSecond) + "/s" : std::string());
    add(3, timeLeft(step));
    add(6, seconds(step, now));
    // A detail that only repeats the numbers is left out; any other ("the connection was cut") takes precedence over them.
    if (!repeatsNumbers(step)) add(kDetail, printable(step.detail));
  } else {
    add(1, seconds(step, now));
    add(kDetail, printable(step.detail));
  }
  return parts;
}

int columnsOfStderr() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::atomic<const std::string*> interrupt_text{nullptr};
static_assert(std::atomic<const std::string*>::is_always_lock_free);

/// Calls only functions that are safe in signal handlers. SA_RESETHAND restored the default, so the second signal ends the process.
void onInterrupt(int number) {
  if (const std::string* text = interrupt_text.load()) {
    if (::write(STDERR_FILENO, text->data(), text->size()) < 0) {
      // stderr was closed
    }
  }
  ::raise(number);
}

}  // namespace

std::string endedStepLine(const OperationStep& step) {
  std::string line = format("  {} {:<34} {:>9}", mark(step.status), printable(step.name), seconds(step, step.endedAt));
  if (repeatsNumbers(step)) {
    if (step.filesDone == 0) return line;  // nothing was counted before the step ended
    const double took = static_cast<double>((step.endedAt - step.startedAt).count()) / 1000.0;
    line += format("  {} files, {}", countText(step.filesDone), bytesText(step.bytesDone));
    return took < 0.01 ? line : line + format(", {}/s", bytesText(static_cast<std::int64_t>(static_cast<double>(step.bytesDone) / took)));
  }
  if (step.bytesTotal > 0) line += format("  {} of {}", bytesText(step.bytesDone), bytesText(step.bytesTotal));
  // A sentence always matters, an activity only after a failure.
  if (isSentence(step.detail) || (step.status != OperationStatus::succeeded && !step.detail.empty())) line += "  " + printable(step.detail);
  return line;
}

std::string liveStepLine(const OperationStep& step, SystemTime now, int columns) {
  std::vector<Part> parts = partsOf(step, now);
  const auto join = [&parts] {
    std::string line;
    for (const Part& part : parts) line += (line.empty() ? "" : "  ") + part.text;
    return line;
  };
  // One cell stays free: filling the last one moves a terminal to the next line.
  while (columns > 0 && displayWidth(join()) >= static_cast<std::size_t>(columns)) {
    auto least = std::ranges::max_element(parts, {}, &Part::order);
    if (least->order == 0) break;
    parts.erase(least);
  }
  return columns > 0 ? cutToWidth(join(), static_cast<std::size_t>(columns) - 1) : join();
}

void OperationView::update(const Operation& operation) {
  std::string text;
  if (std::exchange(live_line_, false)) text += "\r\033[K";
  for (; shown_ < operation.steps.size(); ++shown_) {
    const OperationStep& step = operation.steps[shown_];
    if (step.status == OperationStatus::pending || step.status == OperationStatus::running) break;
    text += endedStepLine(step) + "\n";
  }
  if (terminal_ && shown_ < operation.steps.size() && operation.steps[shown_].status == OperationStatus::running) {
    text += liveStepLine(operation.steps[shown_], RealClock().now(), columnsOfStderr());
    live_line_ = true;
  } else if (!terminal_ && shown_ < operation.steps.size()) {
    // Without a terminal nothing is redrawn: each reason for a wait is printed once.
    const OperationStep& step = operation.steps[shown_];
    if (isSentence(step.detail) && step.detail != reported_detail_)
      text += format("  {} {}: {}\n", mark(step.status), printable(step.name), printable(step.detail));
    if (isSentence(step.detail)) reported_detail_ = step.detail;
  }
  std::fputs(text.c_str(), stderr);  // in one write, without flicker
  std::fflush(stderr);
}

void OperationView::finish() {
  if (std::exchange(live_line_, false)) std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

InterruptNotice::InterruptNotice(std::string text) : text_(std::move(text)) {
  interrupt_text = &text_;
  struct sigaction action{};
  action.sa_handler = onInterrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, &before_);
  if (before_.sa_handler == SIG_IGN) ::sigaction(SIGINT, &before_, nullptr);  // a background job continues to ignore it
}

InterruptNotice::~InterruptNotice() {
  ::sigaction(SIGINT, &before_, nullptr);
  interrupt_text = nullptr;
}

Operation waitWithProgress(Context& context, const std::string& operation_id, std::chrono::seconds timeout) {
  const InterruptNotice notice(
      format("\nThe operation continues in the background. `swarm operations follow {0}` shows its progress, `swarm operations cancel {0}` "
             "cancels it.\n",
             operation_id));
  OperationView view(context);
  Operation operation = context.client().waitForOperation(operation_id, timeout, [&](const Operation& state) { view.update(state); });
  view.finish();
  switch (operation.status) {
    case OperationStatus::succeeded:
      return operation;
    case OperationStatus::failed:
      throw operation.error ? *operation.error
                            : Error(ErrorCode::Internal, "The operation failed without a reason; see the log of the server.");
    case OperationStatus::cancelled:
      throw Error(ErrorCode::Cancelled, "The operation was cancelled.");
    default:
      throw Error(
          ErrorCode::DeadlineExceeded,
          format("The operation did not end within {} s and continues in the background. Follow it with `swarm operations follow {}`.",
                 timeout.count(), operation_id));
  }
}

}  // namespace swarm::cli
