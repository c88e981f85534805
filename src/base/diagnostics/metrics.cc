// Metrics on prometheus-cpp, and the process's own numbers from /proc.
#include "base/diagnostics/metrics.h"

#include <dirent.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <mutex>
#include <sstream>
#include <vector>

namespace swarm {
namespace {

const prometheus::Histogram::BucketBoundaries kDurationBuckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                                  0.1,    0.25,  0.5,    1,     2.5,  5,     10};

struct Observed {
  std::string name;
  std::string help;
  MetricLabels labels;
  std::function<double()> read;
};

prometheus::ClientMetric gaugeSample(const MetricLabels& labels, double value) {
  prometheus::ClientMetric sample;
  for (const auto& [name, text] : labels) sample.label.push_back({name, text});
  sample.gauge.value = value;
  return sample;
}

prometheus::MetricFamily oneValue(const char* name, const char* help, prometheus::MetricType type, double value) {
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  prometheus::ClientMetric sample;
  sample.gauge.value = value;
  sample.counter.value = value;
  family.metric.push_back(sample);
  return family;
}

/// Fields of /proc/self/stat after the command's name, which may contain spaces: the first is the state.
std::vector<std::string> processStat() {
  std::ifstream file("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::size_t end = text.rfind(')');
  std::vector<std::string> fields;
  if (end == std::string::npos) return fields;
  std::istringstream rest(text.substr(end + 1));
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

int openFiles() {
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  int count = 0;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') ++count;
  }
  ::closedir(directory);
  return count - 1;  // excluding the directory's own
}

/// proc(5): utime is field 14, stime 15, threads 20, vsize 23, rss 24; ours begin at field 3.
void addProcess(std::vector<prometheus::MetricFamily>& families) {
  std::vector<std::string> stat = processStat();
  if (stat.size() > 21) {
    double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    families.push_back(oneValue("process_cpu_seconds_total", "User and system CPU time spent in seconds.", prometheus::MetricType::Counter,
                                (std::stod(stat[11]) + std::stod(stat[12])) / ticks));
    families.push_back(oneValue("process_threads", "Number of threads.", prometheus::MetricType::Gauge, std::stod(stat[17])));
    families.push_back(
        oneValue("process_virtual_memory_bytes", "Virtual memory size in bytes.", prometheus::MetricType::Gauge, std::stod(stat[20])));
    families.push_back(oneValue("process_resident_memory_bytes", "Resident memory size in bytes.", prometheus::MetricType::Gauge,
                                std::stod(stat[21]) * static_cast<double>(::sysconf(_SC_PAGESIZE))));
  }
  families.push_back(oneValue("process_open_fds", "Number of open file descriptors.", prometheus::MetricType::Gauge, openFiles()));
  if (rlimit limit{}; ::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    families.push_back(oneValue("process_max_fds", "Maximum number of open file descriptors.", prometheus::MetricType::Gauge,
                                static_cast<double>(limit.rlim_cur)));
}

}  // namespace

struct Metrics::Impl {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<prometheus::Family<prometheus::Counter>>> counters;
  std::map<std::string, std::unique_ptr<prometheus::Family<prometheus::Gauge>>> gauges;
  std::map<std::string, std::unique_ptr<prometheus::Family<prometheus::Histogram>>> histograms;
  std::vector<Observed> observed;

  template <typename Families>
  auto& family(Families& families, const std::string& name, const std::string& help) {
    using Family = typename Families::mapped_type::element_type;
    auto& slot = families[name];
    if (!slot) slot = std::make_unique<Family>(name, help, prometheus::Labels{});
    return *slot;
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Counter::add(double by) const { static_cast<prometheus::Counter*>(metric_)->Increment(by); }
void Gauge::set(double value) const { static_cast<prometheus::Gauge*>(metric_)->Set(value); }
void Gauge::add(double by) const { static_cast<prometheus::Gauge*>(metric_)->Increment(by); }
void Histogram::observe(double value) const { static_cast<prometheus::Histogram*>(metric_)->Observe(value); }

Counter Metrics::counter(const std::string& name, const std::string& help, const MetricLabels& labels) {
  std::lock_guard lock(impl_->mutex);
  return Counter(&impl_->family(impl_->counters, name, help).Add(labels));
}

Gauge Metrics::gauge(const std::string& name, const std::string& help, const MetricLabels& labels) {
  std::lock_guard lock(impl_->mutex);
  return Gauge(&impl_->family(impl_->gauges, name, help).Add(labels));
}

Histogram Metrics::durations(const std::string& name, const std::string& help, const MetricLabels& labels) {
  std::lock_guard lock(impl_->mutex);
  return Histogram(&impl_->family(impl_->histograms, name, help).Add(labels, kDurationBuckets));
}

void Metrics::observe(const std::string& name, const std::string& help, const MetricLabels& labels, std::function<double()> read) {
  std::lock_guard lock(impl_->mutex);
  impl_->observed.push_back({name, help, labels, std::move(read)});
}

std::string Metrics::render() {
  std::vector<prometheus::MetricFamily> families;
  std::lock_guard lock(impl_->mutex);
  auto collect = [&](auto& source) {
    for (auto& [name, family] : source) {
      for (auto& collected : family->Collect()) families.push_back(std::move(collected));
    }
  };
  collect(impl_->counters);
  collect(impl_->gauges);
  collect(impl_->histograms);
  std::map<std::string, prometheus::MetricFamily> observed;
  for (const Observed& row : impl_->observed) {
    prometheus::MetricFamily& family = observed[row.name];
    family.name = row.name;
    family.help = row.help;
    family.type = prometheus::MetricType::Gauge;
    family.metric.push_back(gaugeSample(row.labels, row.read()));
  }
  for (auto& [name, family] : observed) families.push_back(std::move(family));
  addProcess(families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace swarm
