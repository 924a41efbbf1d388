// Compiled without sanitizers and optimisation: most of Catch2 is here.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_session.hpp>
int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif

// libseccomp 2.5.4 loses memory now and then in seccomp_rule_add_array(), when rules are refused or become
// one; its frames have no names here. Our own contexts are released by their type.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libseccomp.so"; }
