//! The methods of a contract, read from its descriptors: what each list is built for, and which calls may be sent twice.

use prost::Message as _;
use prost_types::FileDescriptorSet;
use prost_types::method_options::IdempotencyLevel;

/// One method of a gRPC service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// `/package.Service/Method`.
    pub path: String,
    /// `package.Service`.
    pub service: String,
    /// The contract says that sending it twice does no more than sending it once.
    pub idempotent: bool,
    /// The caller sends many messages.
    pub uploads: bool,
    /// The answer is a stream.
    pub streams: bool,
}

/// # Panics
/// Where `descriptors` is no encoded `FileDescriptorSet`: it is a constant of the build.
pub fn methods(descriptors: &[u8]) -> Vec<Method> {
    let set = FileDescriptorSet::decode(descriptors).expect("descriptors are a constant of the build");
    let mut methods = Vec::new();
    for file in &set.file {
        for service in &file.service {
            let name = format!("{}.{}", file.package(), service.name());
            methods.extend(service.method.iter().map(|method| {
                let options = method.options.as_ref();
                let level = options.map(|options| options.idempotency_level()).unwrap_or_default();
                Method {
                    path: format!("/{name}/{}", method.name()),
                    service: name.clone(),
                    idempotent: level != IdempotencyLevel::IdempotencyUnknown,
                    uploads: method.client_streaming(),
                    streams: method.server_streaming(),
                }
            }));
        }
    }
    methods
}
