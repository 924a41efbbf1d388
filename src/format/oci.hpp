// The OCI object as other formats embed it.
#pragma once

#include "callcensus/profile.hpp"
#include "format/json_decoder.hpp"

namespace callcensus {

/// What is wrong with it is told to the decoder.
[[nodiscard]] Profile read_oci_object(Decoder& decoder, const Placed& at);

/// The profile with the places in its object, and what the decoder was told.
[[nodiscard]] ProfileText located(Profile profile, const LocatedJson& object, Decoder& decoder,
                                  std::string_view text);

/// What every runtime refuses although it is well formed: complained of where a profile is read to be used.
/// `object` is what the profile was read from.
void complain_of_what_runtimes_refuse(Decoder& decoder, const Placed& object, const Profile& profile);

}  // namespace callcensus
