#include "common.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <thread>

#include "completion.h"
#include "help.h"
#include "label_file.h"
#include "log.h"
#include "manual.h"
#include "process.h"
#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/base/file_error.h"
#include "smpc/base/text.h"
#include "smpc/image/scan.h"
#include "terminal.h"

namespace smpc::tools {
namespace {

// --help as tools/help.h has it.
class Help : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override {
    const CLI::App* parent = app->get_parent();
    CommandText command = describe(*app);
    if (parent == nullptr) return help_text(command, nullptr, columns());
    const CommandText whole = describe(*parent);
    command.name = whole.name + " " + command.name;
    return help_text(command, app->get_fallthrough() ? &whole : nullptr, columns());
  }

 private:
  // No line is longer than is read with ease.
  static std::size_t columns() {
    const auto terminal = terminal_of(STDOUT_FILENO);
    return terminal ? std::clamp<std::size_t>(terminal->columns, 30, 100) : 80;
  }
};

void dress(CLI::App& app) {
  app.set_version_flag("--version", "smpc " SMPC_VERSION, "print the version and exit")->group(help_group);
  const auto help = std::make_shared<Help>();
  const auto each = [&](CLI::App& one) {
    one.formatter(help);
    one.set_help_flag("-h,--help", "print this help and exit")->group(help_group);
  };
  each(app);
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) each(*sub);
}

bool print_definition(const CLI::App& app, int argc, char** argv) {
  const std::string_view wanted = argc == 2 ? argv[1] : "";
  if (wanted == "--print-man-page") {
    std::cout << manual_page(describe(app));
  } else if (wanted == "--print-bash-completion") {
    std::cout << bash_completion(describe(app));
  } else {
    return false;
  }
  return true;
}

// NAME=VALUE, or VALUE alone.
std::pair<std::string, std::string> named(const std::string& text) {
  const auto at = text.find('=');
  return at == std::string::npos ? std::pair(std::string(), text) : std::pair(text.substr(0, at), text.substr(at + 1));
}

// A volume as a bitmap: what is not zero is inside.
InputMask read_mask(const std::string& path, const ScanHeader& header) {
  if (header.four_d) {
    fail_input(path + ": expected a mask of one volume, found " + std::to_string(header.volumes) + " volumes");
  }
  const Scan scan = load_scan(path, {});
  const auto& voxels = scan.volumes.front();
  InputMask mask{Bytes((voxels.size() + 7) / 8), voxels.size()};
  std::size_t inside = 0;
  for (std::size_t i = 0; i < voxels.size(); ++i) {
    if (voxels[i] == 0) continue;
    mask.inside[i / 8] |= static_cast<std::byte>(1U << (i % 8));
    ++inside;
  }
  if (inside == 0) fail_input(path + ": expected a mask with voxels that are not zero, found none");
  return mask;
}

}  // namespace

int run_tool(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
  const auto fail = [&](const std::string& what, int code) {
    std::cerr << app.get_name() << ": " << printable(what) << "\n";
    return code;
  };
  const auto guarded = [&](const std::function<void()>& step) {
    try {
      step();
      return 0;
    } catch (const CLI::ParseError& e) {
      if (e.get_exit_code() == 0) return app.exit(e);
      return fail(std::string(e.what()) + "; see " + app.get_name() + " --help", static_cast<int>(ErrorKind::usage));
    } catch (const Error& e) {
      return fail(e.what(), e.exit_code());
    } catch (const std::filesystem::filesystem_error& e) {
      return fail(e.path1().string() + ": cannot be used, found " + file_problem(e.path1(), e.code().value()),
                  static_cast<int>(ErrorKind::bad_input));
    } catch (const std::bad_alloc&) {
      return fail("out of memory", 1);
    } catch (const std::exception& e) {
      return fail(e.what(), 1);
    }
  };
  const int code = guarded([&] {
    close_memory();
    open_streams();
    dress(app);
    if (print_definition(app, argc, argv)) return;
    app.parse(argc, argv);
    body();
  });
  return code != 0 ? code : guarded(finish_output);
}

void CompileArguments::add_to(CLI::App& app) {
  const auto option = [&](const char* name, auto& value, const char* about) {
    return app.add_option(name, value, about)->group("Model");
  };
  option("--labels", labels_, "class names in UTF-8: CSV index,name, or a name a line (default: the model's)")->type_name("FILE");
  option("--grid", grid_, "NIfTI file whose grid the model expects (default: the model's, else MNI 4 mm)")->type_name("FILE");
  option("--input-range", input_ranges_,
         "what input values lie in: R for -R to R, or LOW:HIGH; NAME=... for one input of several, and again for another. Clients "
         "refuse what lies outside (default: the model's, else 128)")
      ->option_text("[NAME=]R|LOW:HIGH")
      ->allow_extra_args(false);
  option("--input-norm", input_norm_, "largest Euclidean norm of the input (default: the model's, else none)")
      ->check(CLI::PositiveNumber);
  option("--input-rms", input_rms_,
         "usual root mean square of an input element; a hint for the choice of scales, never a limit (default: the "
         "model's, else a sixteenth of the declared range, else 2 on the MNI 4 mm grid)")
      ->check(CLI::PositiveNumber);
  option("--input-mask", input_mask_,
         "NIfTI volume on the model's grid, not zero inside the brain. It is PUBLIC. Clients must send volumes that are "
         "zero outside; weights there leave the program, which costs as much less as the mask is smaller (default: none)")
      ->type_name("FILE");
  option("--preprocess", pictures_,
         "JSON file that says how a PNG or JPEG picture becomes the input, so that clients can give --image: height, width, "
         "channels (grey or rgb), layout (CHW or HWC), factor, mean and deviation (default: none)")
      ->type_name("FILE")
      ->option_text("[NAME=]FILE")
      ->allow_extra_args(false);
  const auto secure = [&](const char* name, auto& value, const char* about) {
    return app.add_option(name, value, about)->group("Secure inference");
  };
  secure("--reveal", reveal_,
         "what the client learns: label (argmax inside the protocol), or logits. Logits give more away: in about as many "
         "queries as it has inputs, a cheating client learns the last layer from them")
      ->check(CLI::IsMember({"label", "logits"}))
      ->capture_default_str();
  secure("--protocol", protocol_,
         "how comparisons are done: cryptflow2 (digits by oblivious transfer) or masked (openings masked by the dealer's "
         "randomness: sends less, stores more). Both need the dealer here, both give the same bits")
      ->check(CLI::IsMember({"cryptflow2", "masked"}))
      ->capture_default_str();
  secure("--scale", scale_, "fractional bits of activations (default: chosen per tensor, for 1e-4)")->check(CLI::Range(0, 40));
  app.add_flag("--mixed-scales", mixed_scales_,
               "where a network of many layers fits at no one scale, let each value have its own, as fine as its bound lets it. What "
               "is far below its bound loses bits that count: compare with float by smpc-verify")
      ->group("Secure inference");
  secure("--bits", bits_, "widest ring allowed (default: 64; each tensor gets the narrowest that holds it)")
      ->check(CLI::Range(2, 64));
}

CompileOptions CompileArguments::options() {
  CompileOptions o;
  o.scale = scale_;
  o.mixed_scales = mixed_scales_;
  o.bits = bits_;
  for (const std::string& text : input_ranges_) {
    const auto [name, range] = named(text);
    const auto found = range_of(range);
    if (!found) fail_usage("--input-range: expected R or LOW:HIGH, found '" + range + "'");
    if (name.empty() && found->low == -found->high) {
      o.input_range = found->high;
    } else {
      o.input_ranges[name] = *found;
    }
  }
  for (const std::string& text : pictures_) {
    const auto [name, file] = named(text);
    o.pictures[name] = picture_rule(std::string(as_text(read_file(file, std::size_t{1} << 20))));
  }
  o.input_norm = input_norm_;
  o.input_rms = input_rms_;
  if (!labels_.empty()) o.labels = read_labels(labels_);
  if (!grid_.empty()) o.grid = read_scan_header(grid_).grid;
  if (!input_mask_.empty()) {
    mask_header_ = read_scan_header(input_mask_);
    o.input_mask = read_mask(input_mask_, *mask_header_);
  }
  o.suite = protocol_ == "masked" ? Suite::masked : Suite::cryptflow2;
  o.reveal = reveal_ == "logits" ? Reveal::logits : Reveal::label;
  return o;
}

void CompileArguments::check_mask(const Program& program) const {
  if (mask_header_) check_grid(*mask_header_, program.grid.value(), input_mask_, ResampleOption::absent);
}

bool CompileArguments::any() const {
  return scale_ || mixed_scales_ || bits_ || !input_ranges_.empty() || !pictures_.empty() || input_norm_ || input_rms_ || !labels_.empty() || !grid_.empty() || !input_mask_.empty() ||
         reveal_ != "label" || protocol_ != "cryptflow2";
}

void print_json(const nlohmann::json& object) {
  std::cout << object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) << std::endl;
}

void add_daemon_options(CLI::App& app, const std::string& limits, std::filesystem::path& allow, std::chrono::seconds& drain,
                        std::size_t& max_sessions, std::size_t& max_sessions_per_peer) {
  app.add_option("--allow", allow,
                 "file of the clients that may come in, urn:smpc:client:NAME a line; read again on SIGHUP (default: every "
                 "client of the certificate authority)")
      ->type_name("FILE")
      ->group("Peers");
  app.add_option_function<std::int64_t>(
         "--drain", [&drain](std::int64_t seconds) { drain = std::chrono::seconds(seconds); },
         "seconds for what is in progress after SIGTERM; a second one ends it")
      ->check(CLI::Range(0, 86400))
      ->group(limits)
      ->default_str(std::to_string(drain.count()));
  app.add_option("--max-sessions", max_sessions, "sessions at once; as many as 64 more wait for a place, up to three seconds")
      ->check(CLI::Range(1, 10000))
      ->group(limits)
      ->capture_default_str();
  app.add_option("--max-sessions-per-client", max_sessions_per_peer, "sessions at once of one identity; one more is refused")
      ->check(CLI::Range(1, 10000))
      ->group(limits)
      ->capture_default_str();
}

HeldSignals::HeldSignals() {
  sigemptyset(&signals_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

void HeldSignals::serve(const std::function<void()>& run, const std::function<void()>& stop,
                        const std::function<void()>& reload) const {
  std::jthread waiter([&](std::stop_token done) {
    const timespec pause{0, 100'000'000};
    while (!done.stop_requested()) {
      const int signal = sigtimedwait(&signals_, nullptr, &pause);
      if (signal > 0) signal == SIGHUP ? reload() : stop();
    }
  });
  run();
}

void log_line(const std::string& text) {
  static const auto logger = [] {
    auto l = spdlog::stdout_logger_mt("smpc");
    l->set_pattern("%Y-%m-%d %H:%M:%S %v");
    l->flush_on(spdlog::level::info);
    return l;
  }();
  logger->info("{}", printable(text));
}

}  // namespace smpc::tools
