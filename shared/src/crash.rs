//! Named points at which a test kills the process, as `kill -9` would. Without the feature `crash-points` they are
//! nothing, and nothing can arm them.

/// The process ends here, without a destructor run, if this point is the armed one.
#[cfg(feature = "crash-points")]
pub fn point(name: &str) {
    if ARMED.get().is_some_and(|armed| armed == name) {
        let this = rustix::process::getpid();
        rustix::process::kill_process(this, rustix::process::Signal::KILL)
            .expect("a process may kill itself");
    }
}

#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub fn point(_: &str) {}

#[cfg(feature = "crash-points")]
static ARMED: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Chooses the point, once for the process; `false` where the build has none.
#[cfg(feature = "crash-points")]
pub fn arm(name: &str) -> bool {
    ARMED.get_or_init(|| name.to_owned()) == name
}

#[cfg(not(feature = "crash-points"))]
pub fn arm(_: &str) -> bool {
    false
}
