#include "record/ptrace/release.hpp"

namespace callcensus::ptrace {

// Nobody can tell whose filter it is: with one, it is watched at every call to its end.
Release Release::of_stranger(bool has_filter) {
    Release release;
    release.has_own_filter_ = release.depends_on_us_ = has_filter;
    return release;
}

Release Release::of_presumed_child(bool has_filter) const {
    Release child = of_stranger(has_filter);
    child.impossible_ = impossible_;
    child.lost_privileges_ = lost_privileges_;
    return child;
}

// A child has its creator's filter as it was at the moment of the clone. Where another thread's injection may
// have come between, it is watched at every call: that is right with the filter and without.
Release Release::of_child(bool creator_is_filtered) const {
    Release child;
    child.impossible_ = impossible_;
    child.lost_privileges_ = lost_privileges_;
    child.has_own_filter_ = has_own_filter_ || loading_ != 0;
    child.depends_on_us_ = depends_on_us_;
    child.released_ = released_ && creator_is_filtered;
    return child;
}

void Release::injection_ends(bool loaded, bool has_set_no_new_privs) {
    released_ = loaded;
    impossible_ = !loaded;
    injection_is_lost(has_set_no_new_privs);
}

void Release::injection_is_lost(bool has_set_no_new_privs) {
    lost_privileges_ = lost_privileges_ || has_set_no_new_privs;
    injecting_ = false;
}

void Release::has_tried_to_load_filter(bool loaded) {
    --loading_;
    has_own_filter_ = has_own_filter_ || loaded;
}

void Release::executes(bool only_known_of_it) {
    impossible_ = false;
    if (only_known_of_it) released_ = false;
}

}  // namespace callcensus::ptrace
