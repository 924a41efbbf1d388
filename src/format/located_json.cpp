#include "format/located_json.hpp"

#include <algorithm>
#include <iterator>

namespace callcensus {
namespace {

using nlohmann::json;

// What the iterators of one parse share: where the scalar, bracket or brace that the parser read last begins.
// The parser calls back only after it has consumed a token (and, after a number, one character more), so the
// beginning is noted while the characters pass.
struct Progress {
    std::size_t token = 0;
    bool in_string = false;
    bool escaped = false;
    bool in_bare_token = false;  // a number or a word

    void pass(char c, std::size_t offset) {
        if (in_string) {
            if (escaped)
                escaped = false;
            else if (c == '\\')
                escaped = true;
            else if (c == '"')
                in_string = false;
            return;
        }
        const bool separates =
            c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c == ':' || c == ']' || c == '}';
        if (separates) {
            in_bare_token = false;
        } else if (c == '"' || c == '{' || c == '[') {
            token = offset;
            in_string = c == '"';
            in_bare_token = false;
        } else if (!in_bare_token) {
            token = offset;
            in_bare_token = true;
        }
    }
};

class CountingIterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    CountingIterator(std::string_view text, std::size_t offset, Progress& progress)
        : text_(text), offset_(offset), progress_(&progress) {}
    reference operator*() const { return text_[offset_]; }
    CountingIterator& operator++() {
        progress_->pass(text_[offset_], offset_);
        ++offset_;
        return *this;
    }
    friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
        return a.offset_ == b.offset_;
    }
    friend bool operator!=(const CountingIterator& a, const CountingIterator& b) { return !(a == b); }

  private:
    std::string_view text_;
    std::size_t offset_;
    Progress* progress_;
};

// Builds the tree. Containers under construction lie on a stack of values, not of pointers, since vectors
// move.
class JsonTreeBuilder final : public nlohmann::json_sax<json> {
  public:
    JsonTreeBuilder(std::string_view text, const std::string& source, const Progress& progress)
        : text_(text), source_(source), progress_(progress) {}

    bool null() override { return scalar(json::value_t::null, nullptr); }
    bool boolean(bool value) override { return scalar(json::value_t::boolean, value); }
    bool number_integer(number_integer_t value) override {
        return scalar(json::value_t::number_integer, value);
    }
    bool number_unsigned(number_unsigned_t value) override {
        return scalar(json::value_t::number_unsigned, value);
    }
    bool number_float(number_float_t value, const string_t&) override {
        return scalar(json::value_t::number_float, value);
    }
    bool string(string_t& value) override { return scalar(json::value_t::string, std::move(value)); }
    bool binary(binary_t&) override { return false; }  // JSON text has none
    bool start_object(std::size_t) override { return open(json::value_t::object); }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(json::value_t::array); }
    bool end_array() override { return close(); }
    bool key(string_t& name) override {
        open_.back().key = std::move(name);
        return true;
    }
    bool parse_error(std::size_t position, const std::string& last_token, const json::exception&) override {
        const std::size_t offset = position > 0 ? position - 1 : 0;  // nlohmann counts from 1
        std::string seen;
        for (const char c : last_token.substr(0, 20)) seen += c >= ' ' && c < 0x7f ? c : '?';
        error_ = Error{offset >= text_.size() ? "is not complete JSON: it ends too early"
                                              : "is not JSON: unexpected `" + seen + "`",
                       place(text_, source_, std::min(offset, text_.empty() ? 0 : text_.size() - 1)), 0};
        return false;
    }

    Result<LocatedJson> result() && {
        if (!error_.message.empty()) return tl::unexpected(std::move(error_));
        return std::move(root_);
    }

  private:
    struct Open {
        LocatedJson value;
        std::string key;  // of the member that comes next
    };

    template <class Value>
    bool scalar(json::value_t type, Value&& value) {
        LocatedJson node;
        node.type = type;
        node.offset = progress_.token;
        node.scalar = std::forward<Value>(value);
        return put(std::move(node));
    }
    bool open(json::value_t type) {
        if (open_.size() >= deepest_nesting) {
            error_ =
                Error{"is nested more than a hundred levels deep", place(text_, source_, progress_.token), 0};
            return false;
        }
        open_.emplace_back();
        open_.back().value.type = type;
        open_.back().value.offset = progress_.token;
        return true;
    }
    bool close() {
        LocatedJson done = std::move(open_.back().value);
        open_.pop_back();
        return put(std::move(done));
    }
    bool put(LocatedJson node) {
        if (++values_ > max_values) {
            error_ = Error{"holds more than four million values", place(text_, source_, node.offset), 0};
            return false;
        }
        if (open_.empty())
            root_ = std::move(node);
        else if (open_.back().value.type == json::value_t::array)
            open_.back().value.elements.push_back(std::move(node));
        else
            open_.back().value.members.push_back({std::move(open_.back().key), std::move(node)});
        return true;
    }

    std::string_view text_;
    const std::string& source_;
    const Progress& progress_;
    std::vector<Open> open_;
    LocatedJson root_;
    std::size_t values_ = 0;
    Error error_;
};

}  // namespace

nlohmann::ordered_json LocatedJson::plain() const {
    if (type == json::value_t::array) {
        auto array = nlohmann::ordered_json::array();
        for (const LocatedJson& element : elements) array.push_back(element.plain());
        return array;
    }
    if (type == json::value_t::object) {
        auto object = nlohmann::ordered_json::object();
        for (const auto& [key, value] : members) object[key] = value.plain();
        return object;
    }
    return scalar;
}

LineIndex::LineIndex(std::string_view text) : begins_{0} {
    for (auto newline = text.find('\n'); newline != std::string_view::npos;
         newline = text.find('\n', newline + 1))
        begins_.push_back(newline + 1);
}

Place LineIndex::operator[](std::size_t offset) const {
    const auto after = std::upper_bound(begins_.begin(), begins_.end(), offset);
    return {static_cast<std::size_t>(after - begins_.begin()), offset - *std::prev(after) + 1};
}

std::string place(std::string_view text, const std::string& source, std::size_t offset) {
    const auto [line, column] = LineIndex(text.substr(0, offset))[offset];
    return source + ":" + std::to_string(line) + ":" + std::to_string(column);
}

Result<LocatedJson> parse_located(std::string_view text, const std::string& source) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return fail("is empty", source);
    Progress progress;
    JsonTreeBuilder builder(text, source, progress);
    json::sax_parse(CountingIterator(text, 0, progress), CountingIterator(text, text.size(), progress),
                    &builder);
    return std::move(builder).result();
}

}  // namespace callcensus
