//! Events: the outbox they leave by, the queue that carries them, the inbox that takes each once.
