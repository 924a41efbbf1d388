#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <map>

namespace callcensus::cli {
namespace {

/// CLI11's help with a usage line of our own: it knows nothing of COMMAND.
class HelpWithUsage final : public CLI::Formatter {
  public:
    explicit HelpWithUsage(std::string usage) : usage_(std::move(usage)) { column_width(34); }
    std::string make_usage(const CLI::App*, std::string) const override { return "Usage: " + usage_ + "\n"; }

  private:
    std::string usage_;
};

}  // namespace

Option& Option::required() {
    option_->required();
    return *this;
}

Option& Option::excludes(const Option& other) {
    option_->excludes(other.option_);
    return *this;
}

Option& Option::needs(const Option& other) {
    option_->needs(other.option_);
    return *this;
}

Option& Option::one_of(const std::vector<std::string>& values) {
    option_->check(CLI::IsMember(values));
    return *this;
}

Option& Option::check(std::function<std::string(const std::string&)> fault) {
    option_->check(std::move(fault));
    return *this;
}

bool Option::given() const { return option_->count() != 0; }

std::string CommandLine::name() const { return app_->get_name(); }

bool CommandLine::takes_value(const std::string& option) const {
    const CLI::Option* found = app_->get_option_no_throw(option);
    return found != nullptr && found->get_items_expected_max() > 0;
}

void CommandLine::usage(const std::string& lines) { app_->formatter(std::make_shared<HelpWithUsage>(lines)); }

void CommandLine::footer(const std::string& lines) { app_->footer(lines); }

Option CommandLine::flag(const std::string& names, bool& value, const std::string& help) {
    return Option(*app_->add_flag(names, value, help)->group(group_));
}

Option CommandLine::value(const std::string& names, const std::string& shown, std::string& value,
                          const std::string& help) {
    return Option(*app_->add_option(names, value, help)->option_text(shown)->group(group_));
}

Option CommandLine::value(const std::string& names, const std::string& shown,
                          std::vector<std::string>& values, const std::string& help) {
    CLI::Option* added = app_->add_option(names, values, help)->option_text(shown)->group(group_);
    if (!added->get_positional()) added->allow_extra_args(false);
    return Option(*added);
}

Option CommandLine::list(const std::string& names, const std::string& shown, std::vector<std::string>& values,
                         const std::string& help) {
    return Option(*app_->add_option(names, values, help)
                       ->option_text(shown)
                       ->group(group_)
                       ->delimiter(',')
                       ->allow_extra_args(false));
}

template <class Value, class Number>
Option CommandLine::number(const std::string& names, const std::string& shown, Value& value, Number least,
                           Number most, const std::string& help) {
    return Option(*app_->add_option(names, value, help)
                       ->option_text(shown)
                       ->group(group_)
                       ->check(CLI::Range(least, most)));
}
template Option CommandLine::number(const std::string&, const std::string&, int&, int, int,
                                    const std::string&);
template Option CommandLine::number(const std::string&, const std::string&, unsigned&, int, int,
                                    const std::string&);
template Option CommandLine::number(const std::string&, const std::string&, std::size_t&, int, int,
                                    const std::string&);
template Option CommandLine::number(const std::string&, const std::string&, std::optional<double>&, double,
                                    double, const std::string&);

Option CommandLine::duration(const std::string& names, const std::string& shown,
                             std::optional<double>& seconds, const std::string& help) {
    const std::map<std::string, double> units{{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}};
    constexpr double year = 31'536'000;
    return Option(
        *app_->add_option(names, seconds, help)
             ->option_text(shown)
             ->group(group_)
             ->transform(CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::CASE_SENSITIVE, "DURATION"))
             ->check(CLI::Range(0.001, year)));
}

Option CommandLine::word(const std::string& names, const std::string& shown,
                         const std::vector<std::string>& words, const std::string& help,
                         std::function<void(std::size_t)> choose) {
    const auto choose_word = [words, choose = std::move(choose)](const std::string& word) {
        choose(static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin()));
    };
    return Option(*app_->add_option_function<std::string>(names, choose_word, help)
                       ->option_text(shown)
                       ->group(group_)
                       ->check(CLI::IsMember(words)));
}

Program::Program(const std::string& name, const std::string& what_it_does, const std::string& version,
                 const std::string& footer)
    : app_(std::make_unique<CLI::App>(what_it_does, name)) {
    app_->set_version_flag("--version", version, "The versions of callcensus, libseccomp and the kernel");
    app_->require_subcommand(1);
    app_->footer(footer);
}

Program::~Program() = default;

CommandLine Program::add(const std::string& name, const std::string& what_it_does) {
    return CommandLine(*app_->add_subcommand(name, what_it_does));
}

Result<std::optional<int>> Program::parse(std::vector<std::string> words) {
    try {
        std::reverse(words.begin(), words.end());  // as CLI11 wants a vector
        app_->parse(std::move(words));
    } catch (const CLI::Success& help_or_version) {
        return app_->exit(help_or_version);
    } catch (const CLI::ParseError& error) {
        return fail(error.what());
    }
    return std::nullopt;
}

}  // namespace callcensus::cli
