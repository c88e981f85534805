// transfer_bench source|target PORT ROOT: an agent. transfer_bench server: prints its port, waits for source and target, then serves
// commands from its standard input ("round live", "round final", "sync", "digests"), each answered with a line of JSON.
#include <iostream>

#include "async/loop.h"
#include "base/error.h"
#include "base/text/format.h"
#include "net/connect.h"
#include "transfer/hash/hash_cache.h"
#include "transfer/rounds/session.h"
#include "transfer/wire/link.h"

namespace swarm::transfer {
namespace {

awaitable<void> agent(Role role, std::uint16_t port, std::string root) {
  HashCache cache;
  auto stream = co_await net::connectTcp({"127.0.0.1", port}, Deadline::after(std::chrono::seconds(10)));
  co_await runSession(std::move(stream), {role, &cache, root});
}

awaitable<std::string> serve(Link& link, std::string command) {
  if (command == "sync") {
    co_await link.sync(Side::Target);
    co_return "{}";
  }
  if (command == "digests") {
    const auto [source, target] = co_await link.digests({});
    co_return format(R"({{"equal": {}, "files": {}, "bytes": {}}})", source.digest == target.digest, source.files, source.bytes);
  }
  if (command != "round live" && command != "round final") throw Error(ErrorCode::InvalidArgument, "Unknown command.");
  const auto report = co_await link.round(command == "round final" ? RoundKind::Final : RoundKind::Live, {});
  co_return format(R"({{"files": {}, "bytes": {}, "filesSent": {}, "bytesSent": {}, "deleted": {}, "unstable": {}}})", report.files,
                   report.bytes, report.filesSent, report.bytesSent, report.deleted, report.unstable);
}

awaitable<void> server() {
  auto listener = net::listenTcp(co_await boost::asio::this_coro::executor, {"127.0.0.1", 0});
  std::cout << listener->port() << std::endl;
  auto source = co_await listener->accept();
  std::cout << "source" << std::endl;
  auto target = co_await listener->accept();
  auto link = co_await openLink(std::move(source), std::move(target), "op-bench", {{"/data"}, {}});
  std::cout << "target" << std::endl;
  for (std::string command; std::getline(std::cin, command);) {
    const auto begin = std::chrono::steady_clock::now();
    const std::string result = co_await serve(*link, command);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::cout << format(R"({{"seconds": {:.3f}, "answer": {}}})", seconds, result) << std::endl;
  }
  co_await link->close();
}

void run(awaitable<void> work) {
  boost::asio::io_context context(1);
  std::exception_ptr failure;
  boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr error) {
    failure = error;
    context.stop();
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace
}  // namespace swarm::transfer

int main(int count, char** arguments) {
  using namespace swarm::transfer;
  const std::string role = count > 1 ? arguments[1] : "";
  try {
    if (role == "server") {
      run(server());
    } else if ((role == "source" || role == "target") && count == 4) {
      run(agent(role == "source" ? Role::Source : Role::Target, static_cast<std::uint16_t>(std::stoi(arguments[2])), arguments[3]));
    } else {
      std::cerr << "usage: transfer_bench server | source PORT ROOT | target PORT ROOT\n";
      return 2;
    }
  } catch (const std::exception& error) {
    std::cerr << "transfer_bench: " << error.what() << '\n';
    return 1;
  }
}
