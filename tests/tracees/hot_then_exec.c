// A hot process executes another program, which inherits whatever filter there is: the path given as
// argument, or `tracee_counts` beside it, whose calls this one does not make.
#include "hot.h"

int main(int argc, char** argv) {
    begin();
    const char* const path = argc > 1 ? argv[1] : sibling_path("tracee_counts");
    call_hotly(HOT_CALLS);
    call_fresh(0);
    expect_fresh(0, 1);
    execl(path, path, (char*)NULL);
    die("exec");
}
