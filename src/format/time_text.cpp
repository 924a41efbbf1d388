#include "format/time_text.hpp"

#include <fmt/format.h>

#include <cmath>

namespace callcensus {
namespace {

using std::chrono::milliseconds;
using SystemTime = std::chrono::system_clock::time_point;

// Of 64 bits of nanoseconds: 1677-09-21 to 2262-04-11.
constexpr auto first = std::chrono::ceil<milliseconds>(SystemTime::min());
constexpr auto last = std::chrono::floor<milliseconds>(SystemTime::max());

// Takes a number of exactly so many digits, and what has to follow it, from the front.
std::optional<int> take(std::string_view& text, std::size_t digits, std::string_view follows) {
    if (text.size() < digits + follows.size() || text.substr(digits, follows.size()) != follows)
        return std::nullopt;
    int value = 0;
    for (const char c : text.substr(0, digits)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(digits + follows.size());
    return value;
}

// "123Z", "5Z", "123456Z"
std::optional<milliseconds> take_fraction(std::string_view text) {
    if (text.size() < 2 || text.back() != 'Z') return std::nullopt;
    text.remove_suffix(1);
    int value = 0;
    int unit = 100;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value += (c - '0') * unit;
        unit /= 10;
    }
    return milliseconds(value);
}

}  // namespace

std::string write_time(SystemTime time) {
    const auto rest = std::chrono::floor<milliseconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(rest);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(rest - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

std::optional<SystemTime> read_time(std::string_view text) {
    const auto year = take(text, 4, "-");
    const auto month = take(text, 2, "-");
    const auto day = take(text, 2, "T");
    const auto hour = take(text, 2, ":");
    const auto minute = take(text, 2, ":");
    const auto second = take(text, 2, ".");
    const auto fraction = take_fraction(text);
    if (!year || !month || !day || !hour || !minute || !second || !fraction) return std::nullopt;
    if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    const auto time = std::chrono::sys_time<milliseconds>(std::chrono::sys_days(date)) +
                      std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
                      std::chrono::seconds(*second) + *fraction;
    return time < first || time > last ? std::nullopt : std::optional<SystemTime>(time);
}

double rounded(Milliseconds time) {
    constexpr double exact = 9007199254740992.0;  // up to here a double holds every whole number
    const double value = time.count();
    if (!std::isfinite(value)) return 0;
    // To the nearest one: 4.039 ms are a little less than 4039 us, and must not lose one each time it is
    // written.
    const double microseconds = std::nearbyint(value * 1000);
    return std::abs(microseconds) < exact ? microseconds / 1000 : value;
}

}  // namespace callcensus
