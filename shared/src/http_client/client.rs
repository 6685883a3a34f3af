//! The client of one peer, which is known by its URL, and the routes that are called there.

use std::sync::Arc;
use std::time::Duration;

use http::uri::{Authority, Scheme};
use http::{Method, Uri};
use serde::Deserialize;

use super::call::Call;
use super::lists::{self, Middlewares};
use super::retry::{Repeats, Retry};
use super::transport::Transport;
use crate::config::duration;
use crate::error::BoxError;
use crate::guard::budget::RetryBudget;
use crate::lifecycle::Lifecycle;
use crate::pipeline::{Pick, Pipeline};

/// The keys of a client.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Conf {
    /// `http://host:port`, and what stands before every path, if anything does.
    pub url: String,
    /// Of a call, its retry and the reading of its answer included; the request around it may allow less.
    #[serde(with = "duration")]
    pub timeout: Duration,
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
    /// How long a connection is kept for the next call: less than the peer keeps it.
    #[serde(with = "duration")]
    pub idle_timeout: Duration,
    /// How many are kept.
    pub max_idle: usize,
    /// Of an answer's body.
    pub max_bytes: usize,
    pub middlewares: Middlewares,
}

impl Default for Conf {
    fn default() -> Conf {
        Conf {
            url: String::new(),
            timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(5),
            max_idle: 16,
            max_bytes: 1 << 20,
            middlewares: Middlewares::default(),
        }
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Client(Arc<Peer>);

pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) base: Base,
    service: &'static str,
    timeout: Duration,
    on: Middlewares,
    pub(super) transport: Transport,
    budget: Arc<RetryBudget>,
}

impl Client {
    /// `peer` is what metrics, logs and errors call whoever answers. Connects when first called; connections end with the
    /// lifecycle.
    pub fn try_new(peer: &'static str, conf: &Conf, lifecycle: &Lifecycle) -> Result<Client, BoxError> {
        Ok(Client(Arc::new(Peer {
            name: peer,
            base: Base::parse(&conf.url)?,
            service: lifecycle.name(),
            timeout: conf.timeout,
            on: conf.middlewares,
            transport: Transport::new(conf, lifecycle),
            budget: Arc::default(),
        })))
    }

    /// Made once, at start: its lists and their metric handles. `pattern` such as `/v1/charges/{key}` is its name, and
    /// what every path of it must fit.
    pub fn route(&self, method: Method, pattern: &'static str) -> Route {
        let peer = &self.0;
        let label = format!("{}{pattern}", peer.name);
        Route {
            call: lists::call(peer.service, &peer.on, peer.timeout, method.as_str(), &label),
            attempt: lists::attempt(peer.service),
            peer: peer.clone(),
            method,
            pattern,
            idempotent: false,
        }
    }
}

/// A route of the peer. Cheap to clone.
#[derive(Clone)]
pub struct Route {
    pub(super) peer: Arc<Peer>,
    pub(super) method: Method,
    pub(super) pattern: &'static str,
    idempotent: bool,
    pub(super) call: Arc<Pipeline>,
    pub(super) attempt: Arc<Pipeline>,
}

impl Route {
    /// Sending it twice does no more than sending it once: where the connection broke before the answer was whole, it is
    /// sent once more.
    pub fn idempotent(mut self) -> Route {
        self.idempotent = true;
        self
    }

    /// One call. `path` begins with `/`, may have a query, and is percent-encoded where it must be.
    pub fn to(&self, path: &str) -> Call {
        Call::new(self.clone(), path)
    }

    pub(super) fn retry(&self) -> Retry {
        let repeats = match (self.peer.on.retry, self.idempotent) {
            (false, _) => Repeats::Never,
            (true, false) => Repeats::WhatWasNotSent,
            (true, true) => Repeats::WhatBroke,
        };
        let attempt = Pick::One(self.attempt.clone());
        Retry::new(attempt, self.peer.transport.clone(), repeats, self.peer.budget.clone())
    }
}

/// Where the peer is.
pub(super) struct Base {
    authority: Authority,
    /// Without a slash at its end.
    prefix: String,
}

impl Base {
    /// No fault repeats the URL: it may hold a password.
    fn parse(url: &str) -> Result<Base, BoxError> {
        let fault = |what: &str| BoxError::from(format!("{what}; write http://host:port"));
        if url.is_empty() {
            return Err(fault("Url is empty"));
        }
        let parts = url.parse::<Uri>().map_err(|_| fault("Url is no URL"))?.into_parts();
        match parts.scheme {
            Some(scheme) if scheme == Scheme::HTTP => {}
            Some(scheme) if scheme == Scheme::HTTPS => {
                return Err(fault("Url begins with https://, and TLS is not supported"));
            }
            _ => return Err(fault("Url does not begin with http://")),
        }
        let authority = parts.authority.ok_or_else(|| fault("Url has no host"))?;
        if authority.as_str().contains('@') {
            return Err(fault("Url has a user in it, which is not supported"));
        }
        let path = parts.path_and_query;
        if path.as_ref().is_some_and(|path| path.query().is_some()) {
            return Err(fault("Url has a query"));
        }
        let prefix = path.map_or(String::new(), |path| path.path().trim_end_matches('/').to_owned());
        Ok(Base { authority, prefix })
    }

    /// `None` where `path` is none.
    pub(super) fn join(&self, path: &str) -> Option<Uri> {
        let uri = Uri::builder().scheme(Scheme::HTTP).authority(self.authority.clone());
        uri.path_and_query(format!("{}{path}", self.prefix)).build().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_place_and_perhaps_a_prefix() {
        for (url, whole) in [
            ("http://pay.example", "http://pay.example/v1/x?a=b"),
            ("http://pay.example:8090/", "http://pay.example:8090/v1/x?a=b"),
            ("http://[::1]:8090/sim/", "http://[::1]:8090/sim/v1/x?a=b"),
        ] {
            assert_eq!(Base::parse(url).unwrap().join("/v1/x?a=b").unwrap(), whole);
        }
        assert!(Base::parse("http://pay.example").unwrap().join("/a b").is_none());
    }

    #[test]
    fn what_is_no_place_is_refused_in_words() {
        for (url, fault) in [
            ("", "is empty"),
            ("https://pay.example", "TLS is not supported"),
            ("ftp://pay.example", "does not begin with http://"),
            ("pay.example:8090", "does not begin with http://"),
            ("/v1", "does not begin with http://"),
            ("http://ada:secret@pay.example", "has a user"),
            ("http://pay.example/?a=b", "has a query"),
            ("http://pay example", "is no URL"),
        ] {
            let told = Base::parse(url).err().expect("it is refused").to_string();
            assert!(told.contains(fault) && told.ends_with("write http://host:port"), "{told}");
            assert!(!told.contains("secret"));
        }
    }
}
