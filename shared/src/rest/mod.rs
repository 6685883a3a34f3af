//! REST: the server, its pipelines, and what generated handlers call.
