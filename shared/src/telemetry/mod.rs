//! What can be seen: logs, metrics, traces, and the admin port that shows them.
