//! Configuration: YAML with the environment in it, refused where it is not understood.
