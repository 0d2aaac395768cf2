// What every tool does about its own process before and after its work.
#pragma once

namespace smpc::tools {

// No core dump holds weights, volumes or keys, and no other process of this user reads this one's memory. Not under
// sanitizers, whose search for leaks reads it.
void close_memory();

// Standard streams that are closed lead nowhere from here on, so that no file is opened in their place and written to by
// accident; a reader that goes away is an error of the write, not a signal that ends a session. Throws bad_input where it
// shows already that standard output takes nothing: before anything is computed or spent.
void open_streams();

// Throws bad_input unless everything that was printed has been written.
void finish_output();

}  // namespace smpc::tools
