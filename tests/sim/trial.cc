#include "tests/sim/trial.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>

#include "engine/base/check.h"
#include "tests/sim/world.h"

namespace skald::sim {
namespace {

constexpr unsigned kTrialSecondsMax = 60;
constexpr int kSaidWrong = 3;

std::string contents_of(std::FILE* file) {
  std::string out;
  std::rewind(file);
  char buffer[4'096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) {
    out.append(buffer, n);
  }
  return out;
}

/// In the child: what is wrong goes into `findings`, a line each; the story to stdout.
[[noreturn]] void run_child(const Scenario& scenario, Telling telling, std::FILE* findings,
                            std::FILE* told) {
  alarm(kTrialSecondsMax);
  dup2(fileno(told), STDOUT_FILENO);
  dup2(fileno(told), STDERR_FILENO);
  World world(scenario, telling == Telling::story);
  const Verdict verdict = world.run();
  fmt::print(findings, "{}\n", verdict.story_hash);
  for (const std::string& wrong : verdict.wrongs) fmt::print(findings, "{}\n", wrong);
  std::fflush(nullptr);
  _exit(verdict.wrongs.empty() ? 0 : kSaidWrong);
}

}  // namespace

TrialResult try_scenario(const Scenario& scenario, Telling telling) {
  std::FILE* findings = std::tmpfile();
  std::FILE* told = std::tmpfile();
  SKALD_CHECK(findings != nullptr && told != nullptr, "no temporary files");
  std::fflush(nullptr);
  const pid_t child = fork();
  SKALD_CHECK(child >= 0, "cannot fork");
  if (child == 0) run_child(scenario, telling, findings, told);
  int status = 0;
  waitpid(child, &status, 0);
  TrialResult result{.story = contents_of(told)};
  std::istringstream lines(contents_of(findings));
  lines >> result.story_hash >> std::ws;
  for (std::string line; std::getline(lines, line);) result.wrongs.push_back(line);
  if (WIFSIGNALED(status)) {
    const bool hangs = WTERMSIG(status) == SIGALRM;
    const auto last = result.story.rfind("check failed");
    result.wrongs = {hangs ? "hangs without an end" : "died of a failed check"};
    if (last != std::string::npos) {
      result.wrongs.push_back(result.story.substr(last, result.story.find('\n', last) - last));
    }
  }
  std::fclose(findings);
  std::fclose(told);
  return result;
}

}  // namespace skald::sim
