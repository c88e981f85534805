// MoveProgressReporter: rates, estimates, throttled publication.
#include "controller/moves/move_progress.h"

#include "base/text/format.h"

namespace swarm::control {
namespace {

constexpr std::chrono::milliseconds kPublishEvery{250};
constexpr std::chrono::milliseconds kMeasureEvery{500};
constexpr double kSmoothing = 0.3;
constexpr int kCopied = 90;  ///< percent of the whole move when the copy is complete

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3)
    digits.insert(static_cast<std::size_t>(place), ",");
  return digits;
}

}  // namespace

MoveProgressReporter::MoveProgressReporter(const Context& context, ActivePtr operation, std::string to)
    : context_(context), operation_(std::move(operation)), last_progress_(context.clock.steadyNow()) {
  shown_.to = std::move(to);
}

void MoveProgressReporter::step(Step step) {
  shown_.paused = false;
  begin(step);
  publish(shown_.percent, -1);
}

void MoveProgressReporter::stepInPause(Step step) {
  shown_.paused = true;
  begin(step);
  publish(std::max(shown_.percent, kCopied), -1);
}

void MoveProgressReporter::begin(Step step) {
  step_ = step;
  shown_.step = stepName(step);
  operation_->step(step);
  before_ = {};
}

void MoveProgressReporter::commandBegan() {
  furthest_ = {};
  last_progress_ = context_.clock.steadyNow();
}

void MoveProgressReporter::noteProgress(const transfer::TransferProgress& now) {
  const bool is_further =
      now.filesDone > furthest_.filesDone || now.bytesDone > furthest_.bytesDone || now.bytesSent != furthest_.bytesSent;
  if (is_further) last_progress_ = context_.clock.steadyNow();
  furthest_.filesDone = std::max(furthest_.filesDone, now.filesDone);
  furthest_.bytesDone = std::max(furthest_.bytesDone, now.bytesDone);
  furthest_.bytesSent = now.bytesSent;
}

void MoveProgressReporter::totals(std::int64_t files, std::int64_t bytes) {
  files_ = files;
  bytes_ = bytes;
}

void MoveProgressReporter::progress(const transfer::TransferProgress& reported) {
  if (operation_->hasEnded || operation_->record.steps.empty()) return;
  // A file counts when it is complete; bytes sent show the progress of a large one.
  transfer::TransferProgress now = reported;
  now.bytesDone = std::max(now.bytesDone, std::min(now.bytesSent, bytes_));
  SteadyTime time = context_.clock.steadyNow();
  if (step_ == Step::Copy) operation_->fault("copying");
  auto since = std::chrono::duration<double>(time - measured_).count();
  if (measured_ == SteadyTime{} || now.bytesDone < before_.bytesDone) {
    measured_ = time;
    before_ = now;
  } else if (time - measured_ >= kMeasureEvery) {
    double rate = static_cast<double>(now.bytesDone - before_.bytesDone) / since;
    rate_ = rate_ == 0 ? rate : rate_ + kSmoothing * (rate - rate_);
    measured_ = time;
    before_ = now;
  }
  std::int64_t left =
      rate_ > 0 && bytes_ > now.bytesDone ? static_cast<std::int64_t>(static_cast<double>(bytes_ - now.bytesDone) / rate_) : -1;
  OperationStep& step = operation_->record.steps.back();
  step.filesDone = now.filesDone;
  step.filesTotal = std::max(files_, now.filesDone);
  step.bytesPerSecond = static_cast<std::int64_t>(rate_);
  std::string text = format("{} of {} files, {:.1f} MB/s", grouped(now.filesDone), grouped(step.filesTotal), rate_ / 1e6);
  if (left > 0) text += format(", about {} s left", left);
  operation_->detail(std::move(text), now.bytesDone, std::max(bytes_, now.bytesDone));
  if (time - published_ < kPublishEvery) return;
  int percent = shown_.percent;
  if (!shown_.paused && bytes_ > 0 && step_ == Step::Copy)
    percent = static_cast<int>(std::min<std::int64_t>(now.bytesDone, bytes_) * kCopied / bytes_);
  publish(percent, left);
}

void MoveProgressReporter::publish(int percent, std::int64_t seconds_left) {
  published_ = context_.clock.steadyNow();
  if (shown_.to.empty()) return;  // not a move
  shown_.percent = std::max(shown_.percent, percent);
  shown_.secondsLeft = seconds_left;
  Entry& entry = *operation_->entry;
  entry.moving = std::make_shared<const MoveProgress>(shown_);
  context_.routes.changed(entry);
}

}  // namespace swarm::control
