// Takes located JSON apart and remembers what was wrong, so that a reader can be written as a plain sequence
// of fields: what is wrong reads as absent, and the reader asks once at its end.
//
//     Decoder decoder(text, source);
//     Fields fields(decoder, {&root, ""});
//     rule.comment = fields.text("comment").value_or("");
//     for (const Placed& argument : fields.list("args")) …
//     if (decoder.failed()) return decoder.error();
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "callcensus/profile.hpp"
#include "callcensus/profile_text.hpp"
#include "callcensus/result.hpp"
#include "format/located_json.hpp"

namespace callcensus {

class Decoder {
  public:
    Decoder(std::string_view text, const std::string& source) : text_(text), source_(source) {}

    struct Complaint {
        Fault::Kind kind;
        std::size_t offset;
        std::string what;
    };

    /// Complaints after the thousandth are dropped: a text of nothing but mistakes must not take the memory.
    void complain(const LocatedJson& at, const std::string& what, Fault::Kind kind = Fault::Kind::malformed);
    [[nodiscard]] bool failed() const { return !complaints_.empty(); }
    /// The first complaint.
    [[nodiscard]] tl::unexpected<Error> error() const;
    [[nodiscard]] const std::vector<Complaint>& complaints() const { return complaints_; }

  private:
    std::string_view text_;
    const std::string& source_;
    std::vector<Complaint> complaints_;
};

/// A value together with its path from the root, for messages: `syscalls[3].action`.
struct Placed {
    const LocatedJson* node;
    std::string path;
};

/// The members of one object. Null members count as absent, as they do for Go programs; of repeated keys the
/// last one counts.
class Fields {
  public:
    Fields(Decoder& decoder, const Placed& object);

    [[nodiscard]] std::optional<Placed> find(std::string_view key);
    [[nodiscard]] std::optional<std::string> text(std::string_view key);
    [[nodiscard]] std::optional<bool> boolean(std::string_view key);
    [[nodiscard]] std::optional<double> real(std::string_view key);
    /// A whole number within the limits of T.
    template <class T>
    [[nodiscard]] std::optional<T> whole(std::string_view key);
    [[nodiscard]] std::vector<Placed> list(std::string_view key);
    /// As many as there are elements: "" for one that is no string.
    [[nodiscard]] std::vector<std::string> texts(std::string_view key);
    /// As above, and a complaint where it is absent. The value then is T's default.
    [[nodiscard]] Placed required(std::string_view key);
    [[nodiscard]] std::string required_text(std::string_view key);
    template <class T>
    [[nodiscard]] T required_whole(std::string_view key);

    void complain(const Placed& at, const std::string& what, Fault::Kind kind = Fault::Kind::malformed) {
        decoder_.complain(*at.node, at.path + " " + what, kind);
    }
    /// The members that nobody asked for.
    [[nodiscard]] UnknownMembers unknown() const;

  private:
    std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::uint64_t most,
                                        std::uint64_t& value);

    Decoder& decoder_;
    Placed object_;
    std::vector<std::string_view> asked_;
};

template <class T>
std::optional<T> Fields::whole(std::string_view key) {
    std::uint64_t value = 0;
    const auto negative = integer(key, std::int64_t{std::numeric_limits<T>::min()},
                                  static_cast<std::uint64_t>(std::numeric_limits<T>::max()), value);
    if (!negative) return std::nullopt;
    return *negative < 0 ? static_cast<T>(*negative) : static_cast<T>(value);
}

template <class T>
T Fields::required_whole(std::string_view key) {
    static_cast<void>(required(key));
    return whole<T>(key).value_or(T{});
}

}  // namespace callcensus
