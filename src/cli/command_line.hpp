// The command line as a value: what each command is told, one line for each option.
//
//     CommandLine sub = program.add("show", "Show what a profile or recording holds, as a table");
//     sub.usage("callcensus show [OPTIONS] FILE...");
//     sub.value("FILE", "FILE", options->files, "Profiles or recordings").required();
//     sub.flag("--json", options->json, "As JSON");
//
// CLI11 parses it, and only command_line.cpp knows: its headers cost every file that includes them seconds to
// compile. What an option fills in outlives the Program.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/result.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace callcensus::cli {

/// An option of a command: a reference to it, which the Program owns.
class Option {
  public:
    explicit Option(CLI::Option& option) : option_(&option) {}

    Option& required();
    Option& excludes(const Option& other);
    Option& needs(const Option& other);
    Option& one_of(const std::vector<std::string>& values);
    /// `fault` says what is wrong with a value, and nothing where it is right.
    Option& check(std::function<std::string(const std::string&)> fault);

    /// Whether the command line had it.
    [[nodiscard]] bool given() const;

  private:
    CLI::Option* option_;
};

/// What a word of an option with a few values stands for.
template <class Value>
struct Word {
    std::string_view word;
    Value value;
};

/// A command: a reference to it, which the Program owns.
class CommandLine {
  public:
    explicit CommandLine(CLI::App& app) : app_(&app) {}

    [[nodiscard]] std::string name() const;
    /// Whether a value follows that option (-o, --output); also of none that it has: no.
    [[nodiscard]] bool takes_value(const std::string& option) const;

    /// What --help says of how to call it, and below the options.
    void usage(const std::string& lines);
    void footer(const std::string& lines);
    /// The heading in --help of the options that follow.
    void group(const std::string& heading) { group_ = heading; }

    // `names` is "-o,--output", or "FILE" for what has its place by order; `shown` stands for the value in
    // --help.
    Option flag(const std::string& names, bool& value, const std::string& help);
    Option value(const std::string& names, const std::string& shown, std::string& value,
                 const std::string& help);
    /// An option takes one value each time, a place all that follow.
    Option value(const std::string& names, const std::string& shown, std::vector<std::string>& values,
                 const std::string& help);
    /// Several values with commas between them.
    Option list(const std::string& names, const std::string& shown, std::vector<std::string>& values,
                const std::string& help);
    /// A number of that range. There are instances for what is used.
    template <class Value, class Number>
    Option number(const std::string& names, const std::string& shown, Value& value, Number least, Number most,
                  const std::string& help);
    /// In seconds; as users write it: 500ms, 10s, 5m, 1h, a bare number. From a millisecond to a year.
    Option duration(const std::string& names, const std::string& shown, std::optional<double>& seconds,
                    const std::string& help);
    template <class Value>
    Option choice(const std::string& names, const std::string& shown, Value& value,
                  const std::vector<Word<Value>>& choices, const std::string& help) {
        std::vector<std::string> words;
        for (const Word<Value>& choice : choices) words.emplace_back(choice.word);
        return word(names, shown, words, help,
                    [&value, choices](std::size_t chosen) { value = choices[chosen].value; });
    }

  private:
    Option word(const std::string& names, const std::string& shown, const std::vector<std::string>& words,
                const std::string& help, std::function<void(std::size_t)> choose);

    CLI::App* app_;
    std::string group_ = "Options";
};

class Program {
  public:
    Program(const std::string& name, const std::string& what_it_does, const std::string& version,
            const std::string& footer);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    CommandLine add(const std::string& name, const std::string& what_it_does);

    /// Fills in what the options say. A status where help or the version was asked for, and printed: there is
    /// nothing more to do.
    [[nodiscard]] Result<std::optional<int>> parse(std::vector<std::string> words);

  private:
    std::unique_ptr<CLI::App> app_;
};

}  // namespace callcensus::cli
