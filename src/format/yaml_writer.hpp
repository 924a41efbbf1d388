// YAML text, written by libyaml.
//
//     YamlWriter yaml;
//     yaml.begin_map();
//     yaml.text("kind").text("SeccompProfile");
//     yaml.text("names").begin_list().text("read").end_list();
//     yaml.end_map();
//     std::move(yaml).content();
#pragma once

#include <yaml.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace callcensus {

class YamlWriter {
  public:
    YamlWriter();
    ~YamlWriter();
    YamlWriter(const YamlWriter&) = delete;
    YamlWriter& operator=(const YamlWriter&) = delete;

    YamlWriter& begin_map();
    YamlWriter& end_map();
    YamlWriter& begin_list();
    YamlWriter& end_list();
    /// Quoted where a reader could take it for anything but text.
    YamlWriter& text(std::string_view value);
    YamlWriter& number(std::uint64_t value);
    [[nodiscard]] std::string content() &&;

  private:
    void emit(yaml_event_t& event);
    void scalar(std::string_view value, yaml_scalar_style_t style);

    yaml_emitter_t emitter_{};
    std::string content_;
};

}  // namespace callcensus
