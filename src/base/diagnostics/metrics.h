// Metrics: counters, gauges and histograms for GET /metrics. Only metrics.cc (library swarm_metrics) uses prometheus-cpp.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace swarm {

using MetricLabels = std::map<std::string, std::string>;

/// Only grows. Thread-safe; an increment takes a few nanoseconds. Handles are cheap values, valid as long as their Metrics lives.
class Counter {
 public:
  void add(double by = 1) const;  ///< `by` must not be negative

 private:
  friend class Metrics;
  explicit Counter(void* metric) : metric_(metric) {}
  void* metric_;
};

/// Goes up and down. Thread-safe.
class Gauge {
 public:
  void set(double value) const;
  void add(double by) const;  ///< may be negative

 private:
  friend class Metrics;
  explicit Gauge(void* metric) : metric_(metric) {}
  void* metric_;
};

/// Counts observations in buckets. Thread-safe.
class Histogram {
 public:
  void observe(double value) const;

 private:
  friend class Metrics;
  explicit Histogram(void* metric) : metric_(metric) {}
  void* metric_;
};

/// The process's metrics; one object, created in main and passed to the code that counts. Thread-safe. Does no work between two scrapes.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// The metric with this name and these labels, created at the first call: takes a lock, so keep the handle. Counters' names end in
  /// "_total", durations are in seconds, sizes in bytes (Prometheus naming).
  Counter counter(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  Gauge gauge(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  /// Buckets from 0.5 ms to 10 s.
  Histogram durations(const std::string& name, const std::string& help, const MetricLabels& labels = {});

  /// A gauge that is read only at each scrape, on the scraper's thread: for numbers that another component already maintains. Register it
  /// before serving.
  void observe(const std::string& name, const std::string& help, const MetricLabels& labels, std::function<double()> read);

  /// All metrics in the text exposition format 0.0.4, plus the process's memory, CPU time, threads and file descriptors.
  std::string render();
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm
