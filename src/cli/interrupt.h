// Ctrl-C as a question that long work asks now and then.
#pragma once

namespace mien::cli {

// Installs handlers for SIGINT and SIGTERM that remember the first signal; a second one ends the
// program at once, as by default. Call once, before the work.
void catch_interrupts();

// Whether a signal came. Safe from any thread.
bool interrupted();

}  // namespace mien::cli
