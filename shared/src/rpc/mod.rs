//! RPC: the server, the client with its balancer, and their pipelines.
