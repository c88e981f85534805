// Metrics: counters, gauges and histograms for GET /metrics. The one use of prometheus-cpp is in metrics.cc (library swarm_metrics).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace swarm {

using MetricLabels = std::map<std::string, std::string>;

/// Only grows. Thread-safe, a few nanoseconds. Handles are cheap values; they are valid as long as their Metrics lives.
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

/// The process's metrics; one object, made in main and handed to who counts. Thread-safe. Nothing happens between two scrapes.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// The metric with this name and these labels, made at the first call: takes a lock, so keep the handle. Counters' names end in "_total",
  /// durations are in seconds, sizes in bytes (Prometheus naming).
  Counter counter(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  Gauge gauge(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  /// Buckets from 0.5 ms to 10 s.
  Histogram durations(const std::string& name, const std::string& help, const MetricLabels& labels = {});

  /// A gauge that is read at each scrape only, on the scraper's thread: for numbers that somebody else keeps anyway. Registered before
  /// serving.
  void observe(const std::string& name, const std::string& help, const MetricLabels& labels, std::function<double()> read);

  /// Everything in the text exposition format 0.0.4, with the process's memory, CPU time, threads and file descriptors.
  std::string render();
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm
