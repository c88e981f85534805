// Steps with their times, as they happen.
#include "cli/progress.h"

#include <cstdio>

#include "base/format.h"

namespace swarm::cli {
namespace {

std::string seconds(const OperationStep& step) {
  SystemTime end = step.endedAt.time_since_epoch().count() ? step.endedAt : RealClock().now();
  double elapsed = static_cast<double>((end - step.startedAt).count()) / 1000.0;
  return format("{:.2f} s", elapsed < 0 ? 0.0 : elapsed);
}

std::string bytes(std::int64_t count) {
  if (count < 1024 * 1024) return format("{} KB", count / 1024);
  return format("{:.1f} MB", static_cast<double>(count) / (1024.0 * 1024.0));
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

}  // namespace

void OperationView::printStep(const OperationStep& step) {
  std::string line = format("  {} {:<34} {:>9}", mark(step.status), step.name, seconds(step));
  if (step.bytesTotal > 0) line += format("  {} of {}", bytes(step.bytesDone), bytes(step.bytesTotal));
  if (!step.detail.empty()) line += "  " + step.detail;
  std::fputs(line.c_str(), stderr);
}

void OperationView::update(const Operation& operation) {
  if (live_line_) std::fputs("\r\033[K", stderr);
  live_line_ = false;
  for (; shown_ < operation.steps.size(); ++shown_) {
    const OperationStep& step = operation.steps[shown_];
    bool ended = step.status != OperationStatus::pending && step.status != OperationStatus::running;
    if (!ended) break;
    printStep(step);
    std::fputc('\n', stderr);
  }
  if (terminal_ && shown_ < operation.steps.size() && operation.steps[shown_].status == OperationStatus::running) {
    printStep(operation.steps[shown_]);
    live_line_ = true;
  }
  std::fflush(stderr);
}

void OperationView::finish() {
  if (live_line_) std::fputs("\r\033[K", stderr);
  live_line_ = false;
  std::fflush(stderr);
}

Operation waitWithProgress(Context& context, const std::string& operation_id, std::chrono::seconds timeout) {
  OperationView view(context);
  Operation operation = context.client().waitForOperation(operation_id, timeout, [&](const Operation& state) { view.update(state); });
  view.finish();
  switch (operation.status) {
    case OperationStatus::succeeded:
      return operation;
    case OperationStatus::failed:
      throw operation.error ? *operation.error
                            : Error(ErrorCode::Internal, "The operation failed without saying why; the server's log has more.");
    case OperationStatus::cancelled:
      throw Error(ErrorCode::Cancelled, "The operation was cancelled.");
    default:
      throw Error(ErrorCode::DeadlineExceeded,
                  format("Not done after {} s; it goes on in the background. Look with `swarm operations show {}`.", timeout.count(),
                         operation_id));
  }
}

}  // namespace swarm::cli
