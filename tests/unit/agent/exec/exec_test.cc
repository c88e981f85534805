// /exec in both forms: output, input, exit codes, signals, terminals, back pressure, and clients that go away.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "agent/exec/exec.h"
#include "net/websocket/websocket.h"
#include "protocol/exec_frames.h"
#include "unit/agent/fixture.h"

namespace swarm::agent {
namespace {

class ExecTest : public AgentTest {
 protected:
  CommandResult run(std::vector<std::string> command, std::string input = "") {
    ExecRequest what;
    what.command = std::move(command);
    what.stdinText = std::move(input);
    return await(agent::exec(target(), what, Deadline::after(kPatience)));
  }

  /// A stream whose first message is `first`.
  std::unique_ptr<net::WebSocket> openStream(std::string first) {
    return await([](AgentTarget where, std::string text) -> awaitable<std::unique_ptr<net::WebSocket>> {
      auto deadline = Deadline::after(kPatience);
      auto stream = co_await where.endpoint.connect(deadline);
      net::Headers headers = execHeaders(where, RealClock());
      auto socket = co_await net::openWebSocket(std::move(stream), "agent", std::string(kExecPath), std::move(headers), deadline);
      co_await socket->writeText(text);
      co_return socket;
    }(target(), std::move(first)));
  }
  std::unique_ptr<net::WebSocket> openCommand(std::vector<std::string> command, boost::json::object more = {}) {
    boost::json::array words;
    for (auto& word : command) words.push_back(boost::json::string(word));
    more["command"] = words;
    return openStream(boost::json::serialize(more));
  }
  void sendFrame(net::WebSocket& socket, ExecFrame kind, std::string payload = "") {
    std::string bytes(1, static_cast<char>(kind));
    bytes += payload;
    EXPECT_TRUE(
        await([](net::WebSocket& where, std::string what) -> awaitable<bool> { co_return co_await where.write(what); }(socket, bytes)));
  }
  struct Frame {
    ExecFrame kind;
    std::string payload;
  };
  std::optional<Frame> nextFrame(net::WebSocket& socket) {
    auto message = await(socket.read());
    if (!message) return std::nullopt;
    return Frame{static_cast<ExecFrame>(message->data.at(0)), message->data.substr(1)};
  }
  struct Transcript {
    std::string out, err;
    std::optional<std::int64_t> exitCode;
    std::string failed;
  };
  Transcript readToEnd(net::WebSocket& socket) {
    Transcript transcript;
    while (auto frame = nextFrame(socket)) {
      if (frame->kind == ExecFrame::Stdout) transcript.out += frame->payload;
      if (frame->kind == ExecFrame::Stderr) transcript.err += frame->payload;
      if (frame->kind == ExecFrame::Exit) transcript.exitCode = boost::json::parse(frame->payload).at("exitCode").as_int64();
      if (frame->kind == ExecFrame::Failed) transcript.failed = boost::json::parse(frame->payload).at("message").as_string();
    }
    return transcript;
  }
  std::string readUntil(net::WebSocket& socket, std::string_view text) {
    std::string all;
    while (all.find(text) == std::string::npos) {
      auto frame = nextFrame(socket);
      if (!frame) {
        ADD_FAILURE() << "ended before " << text << ": " << all;
        break;
      }
      all += frame->payload;
    }
    return all;
  }
};

TEST_F(ExecTest, keepsStdoutStderrAndExitCodeApart) {
  auto result = run({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(result.stdoutText, "out\n");
  EXPECT_EQ(result.stderrText, "err\n");
  EXPECT_EQ(result.exitCode, 3);
  EXPECT_FALSE(result.truncated);
}

TEST_F(ExecTest, passesStdinAndEndsIt) { EXPECT_EQ(run({"cat"}, "hello\nworld").stdoutText, "hello\nworld"); }

TEST_F(ExecTest, runsInTheUsersHomeWithALoginsEnvironment) {
  auto result = run({"sh", "-c", "pwd; echo $HOME $USER $LOGNAME $SHELL $LANG $FROM_IMAGE $PATH"});
  std::string home = std::filesystem::canonical(folder / "home").string();
  EXPECT_EQ(result.stdoutText,
            home + "\n" + (folder / "home").string() + " coder coder /bin/sh C.UTF-8 yes /opt/swarm/bin:/usr/local/bin:/usr/bin:/bin\n");
}

TEST_F(ExecTest, aCommandThatDoesNotExistIs127WithAMessage) {
  auto result = run({"no-such-command-anywhere"});
  EXPECT_EQ(result.exitCode, 127);
  EXPECT_THAT(result.stderrText, testing::HasSubstr("no-such-command-anywhere"));
}

TEST_F(ExecTest, aFileThatMayNotRunIs126) {
  writeFile(folder / "plain", "text");
  EXPECT_EQ(run({(folder / "plain").string()}).exitCode, 126);
}

TEST_F(ExecTest, aSignalIsReportedAs128AndItsNumber) { EXPECT_EQ(run({"sh", "-c", "kill -TERM $$"}).exitCode, 128 + SIGTERM); }

TEST_F(ExecTest, outputBeyondTheLimitIsDroppedAndSaid) {
  auto result = run({"sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x"});
  EXPECT_TRUE(result.truncated);
  EXPECT_EQ(result.stdoutText.size(), kMaxBufferedOutput);
  EXPECT_EQ(result.exitCode, 0);
}

TEST_F(ExecTest, bytesThatAreNotUtf8BecomeReplacementCharacters) {
  EXPECT_EQ(run({"printf", "a\\377b"}).stdoutText,
            "a\xef\xbf\xbd"
            "b");
}

TEST_F(ExecTest, aTimeOutKillsTheWholeProcessGroup) {
  std::string printed;
  for (double timeout = 0.2; printed.empty(); timeout *= 2) {  // beside a load, the shell may not have started its child in time
    auto made = request("POST", "/exec", token(TokenScope::Exec));
    made.body = R"({"command":["sh","-c","sleep 1000 & echo $!; wait"],"timeout":)" + std::to_string(timeout) + "}";
    auto response = boost::json::parse(send(made).body);
    EXPECT_TRUE(response.at("timedOut").as_bool());
    EXPECT_EQ(response.at("exitCode").as_int64(), 124);
    printed = response.at("stdout").as_string();
  }
  pid_t sleeper = std::stoi(printed);
  // It was reparented: its new parent has to reap it, so "gone" means dead.
  waitUntil(
      [&] { return ::kill(sleeper, 0) != 0 || readFile("/proc/" + std::to_string(sleeper) + "/stat").find(") Z") != std::string::npos; });
}

TEST_F(ExecTest, aBackgroundProcessDoesNotHoldTheAnswerBack) {
  auto result = run({"sh", "-c", "sleep 1000 & echo $!"});
  EXPECT_EQ(result.exitCode, 0);
  ::kill(std::stoi(result.stdoutText), SIGKILL);
}

TEST_F(ExecTest, aClientThatGoesAwayTakesItsCommandWithIt) {
  std::string mark = (folder / "pid").string();
  std::string body = R"({"command":["sh","-c","echo $$ > )" + mark + R"(; exec sleep 1000"]})";
  auto stream = await(net::connectTcp(address(), Deadline::after(kPatience)));
  std::string text = "POST /exec HTTP/1.1\r\nHost: a\r\nSwarm-Token: " + token(TokenScope::Exec) +
                     "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  await([](net::Stream& where, std::string what) -> awaitable<void> { co_await where.writeAll(what); }(*stream, text));
  waitUntil([&] { return readFile(mark).ends_with('\n'); });
  EXPECT_EQ(children.running(), 1U);
  stream.reset();
  waitUntil([&] { return children.running() == 0; });
}

TEST_F(ExecTest, wrongRequestsAreRefusedWithTheirPointers) {
  struct Case {
    std::string body, pointer;
  };
  for (const auto& wrong :
       {Case{R"({})", "/command"}, Case{R"({"command":[]})", "/command"}, Case{R"({"command":"ls"})", "/command"},
        Case{R"({"command":["ls"],"cwd":"relative"})", "/cwd"}, Case{R"({"command":["ls"],"timeout":-1})", "/timeout"},
        Case{R"({"command":["ls"],"env":{"A=B":"c"}})", "/env"}, Case{R"({"command":["ls"],"shell":true})", "/shell"}}) {
    auto made = request("POST", "/exec", token(TokenScope::Exec));
    made.body = wrong.body;
    auto response = send(made);
    EXPECT_EQ(response.status, 400) << wrong.body;
    EXPECT_THAT(response.body, testing::HasSubstr(wrong.pointer)) << wrong.body;
  }
  auto made = request("POST", "/exec", token(TokenScope::Exec));
  made.body = R"({"command":["ls","\u0000","\u0000"]})";
  EXPECT_THAT(send(made).body, testing::HasSubstr("The request has 1 invalid field: /command must not contain NUL"));
  made.body = "{not json";
  EXPECT_EQ(send(made).status, 400);
}

TEST_F(ExecTest, anUnknownUserIsSaid) {
  ExecRequest what;
  what.command = {"id"};
  what.user = "unknown-user";
  auto result = await(agent::exec(target(), what, Deadline::after(kPatience)));
  EXPECT_EQ(result.exitCode, 126);
  EXPECT_THAT(result.stderrText, testing::HasSubstr("unknown-user"));
}

TEST_F(ExecTest, aStreamGivesBothOutputsThenTheExitCodeAndCloses) {
  auto socket = openCommand({"sh", "-c", "echo out; echo err >&2; exit 7"});
  auto transcript = readToEnd(*socket);
  EXPECT_EQ(transcript.out, "out\n");
  EXPECT_EQ(transcript.err, "err\n");
  EXPECT_EQ(transcript.exitCode, 7);
}

TEST_F(ExecTest, aStreamPassesEveryByteOfStdin) {
  auto socket = openCommand({"cat"});
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  sendFrame(*socket, ExecFrame::Stdin, all);
  sendFrame(*socket, ExecFrame::Stdin, "more");
  sendFrame(*socket, ExecFrame::StdinEnd);
  auto transcript = readToEnd(*socket);
  EXPECT_EQ(transcript.out, all + "more");
  EXPECT_EQ(transcript.exitCode, 0);
}

TEST_F(ExecTest, aStreamOfACommandThatDoesNotExistFails) {
  auto socket = openCommand({"no-such-command-anywhere"});
  auto transcript = readToEnd(*socket);
  EXPECT_THAT(transcript.failed, testing::HasSubstr("not found"));
  EXPECT_FALSE(transcript.exitCode);
}

TEST_F(ExecTest, aStreamThatBeginsWrongFails) {
  for (const char* first : {"{", "[]", R"({"command":["ls"],"stdin":"x"})", R"({"command":[1]})"}) {
    auto socket = openStream(first);
    EXPECT_NE(readToEnd(*socket).failed, "") << first;
  }
}

TEST_F(ExecTest, aSignalReachesTheCommand) {
  auto socket = openCommand({"sh", "-c", "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.05; done"});
  readUntil(*socket, "ready");
  sendFrame(*socket, ExecFrame::Signal, R"({"signal":"INT"})");
  auto transcript = readToEnd(*socket);
  EXPECT_THAT(transcript.out, testing::HasSubstr("caught"));
  EXPECT_EQ(transcript.exitCode, 5);
}

TEST_F(ExecTest, aTerminalHasASizeThatCanChange) {
  auto socket = openCommand({"sh"}, {{"tty", true}, {"columns", 101}, {"rows", 42}});
  sendFrame(*socket, ExecFrame::Stdin, "stty size; tty; echo $TERM\n");
  auto text = readUntil(*socket, "xterm-256color");
  EXPECT_THAT(text, testing::HasSubstr("42 101"));
  EXPECT_THAT(text, testing::HasSubstr("/dev/pts/"));
  sendFrame(*socket, ExecFrame::Resize, R"({"columns":77,"rows":33})");
  sendFrame(*socket, ExecFrame::Stdin, "stty size\n");
  readUntil(*socket, "33 77");
  sendFrame(*socket, ExecFrame::Stdin, "exit 9\n");
  EXPECT_EQ(readToEnd(*socket).exitCode, 9);
}

TEST_F(ExecTest, controlCOnATerminalInterruptsTheForegroundCommand) {
  auto socket = openCommand({"sh"}, {{"tty", true}});
  // Printed by the command itself, so that it is in the foreground by then.
  sendFrame(*socket, ExecFrame::Stdin, "sh -c 'echo rea\"\"dy; exec sleep 1000'\n");
  readUntil(*socket, "ready");
  sendFrame(*socket, ExecFrame::Stdin, "\x03");
  // The terminal discards input typed before the interrupt is handled; the echo shows that it was.
  readUntil(*socket, "^C");
  sendFrame(*socket, ExecFrame::Stdin, "echo sta''tus $?; exit\n");
  EXPECT_THAT(readUntil(*socket, "status"), testing::HasSubstr("status"));
}

TEST_F(ExecTest, endlessOutputIsHeldBackUntilTheClientReads) {
  auto socket = openCommand({"sh", "-c", "echo $$; exec cat /dev/zero"});
  std::string pid = std::to_string(std::stoi(nextFrame(*socket)->payload));
  auto written = [&] {
    std::string io = readFile("/proc/" + pid + "/io");
    auto at = io.find("wchar: ");
    return at == std::string::npos ? 0ULL : std::stoull(io.substr(at + 7));
  };
  // No client reads: it must block, after filling the pipe and the sockets' buffers.
  unsigned long long before = 0, now = written();
  int still = 0;
  waitUntil([&] {
    before = std::exchange(now, written());
    still = before == now && now > 0 ? still + 1 : 0;
    return still >= 20;
  });
  EXPECT_LT(now, 64ULL * 1024 * 1024);
  // And continue when a client reads.
  for (int frames = 0; frames < 2000; ++frames) ASSERT_TRUE(nextFrame(*socket));
  waitUntil([&] { return written() > now; });
  socket.reset();
  waitUntil([&] { return children.running() == 0; });
}

awaitable<void> flood(std::shared_ptr<net::WebSocket> socket, int pieces, int& sent) {
  std::string piece(64 * 1024, 'x');
  piece.front() = static_cast<char>(ExecFrame::Stdin);
  while (sent < pieces && co_await socket->write(piece)) ++sent;
}

TEST_F(ExecTest, inputThatTheCommandDoesNotReadIsHeldBack) {
  std::shared_ptr<net::WebSocket> socket = openCommand({"sh", "-c", "echo $$; exec sleep 1000"});
  pid_t pid = std::stoi(nextFrame(*socket)->payload);
  // Far more than all buffers on the way can hold.
  constexpr int kPieces = 4000;
  int sent = 0;
  asio::co_spawn(context, flood(socket, kPieces, sent), asio::detached);
  int before = -1, still = 0;
  waitUntil([&] {
    still = sent == std::exchange(before, sent) ? still + 1 : 0;
    return still >= 20;
  });
  EXPECT_LT(sent, kPieces / 4);
  ::kill(pid, SIGKILL);
  waitUntil([&] { return activity.connections() == 0; });
}

TEST_F(ExecTest, aStreamsClientThatGoesAwayHangsUpTheCommand) {
  std::string mark = (folder / "hup").string();
  auto socket = openCommand({"sh", "-c", "trap 'echo hung up > " + mark + "; exit' HUP; echo ready; while :; do sleep 0.05; done"});
  readUntil(*socket, "ready");
  socket.reset();
  waitUntil([&] { return readFile(mark) == "hung up\n"; });
  waitUntil([&] { return children.running() == 0 && activity.connections() == 0; });
}

TEST_F(ExecTest, aCommandThatIgnoresTheHangUpIsTerminated) {
  std::string mark = (folder / "mark").string();
  auto socket =
      openCommand({"sh", "-c", "trap '' HUP; trap 'echo terminated > " + mark + "; exit' TERM; echo ready; while :; do sleep 0.05; done"});
  readUntil(*socket, "ready");
  socket.reset();
  waitUntil([&] { return readFile(mark) == "terminated\n"; });
  waitUntil([&] { return children.running() == 0 && activity.connections() == 0; });
}

TEST_F(ExecTest, aClientThatLeavesWhileItsInputIsHeldBackTakesItsCommandWithIt) {
  auto socket = openCommand({"sh", "-c", "echo $$; exec sleep 1000"});
  ASSERT_TRUE(nextFrame(*socket));
  // More than the agent accepts, less than the sockets hold: the end of the connection arrives behind it.
  constexpr std::size_t kPiece = kMaxQueuedInput / 4;
  for (int pieces = 0; pieces < 7; ++pieces) sendFrame(*socket, ExecFrame::Stdin, std::string(kPiece, 'x'));
  socket.reset();
  waitUntil([&] { return children.running() == 0 && activity.connections() == 0; });
}

TEST_F(ExecTest, framesThatAreNoneCloseTheStream) {
  auto socket = openCommand({"sleep", "1000"});
  sendFrame(*socket, ExecFrame::Exit, "{}");
  EXPECT_FALSE(readToEnd(*socket).exitCode);
  waitUntil([&] { return children.running() == 0; });
}

TEST(SignalNumber, knowsNamesWithAndWithoutSig) {
  EXPECT_EQ(signalNumber("INT"), SIGINT);
  EXPECT_EQ(signalNumber("SIGTERM"), SIGTERM);
  EXPECT_EQ(signalNumber("nonsense"), std::nullopt);
  EXPECT_EQ(signalNumber("9"), std::nullopt);
}

}  // namespace
}  // namespace swarm::agent
