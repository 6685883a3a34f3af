//! The pictures of the catalogue, drawn for it and built into the binary: `/pictures/<product>.svg`.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, StatusCode};
use sha2::{Digest, Sha256};
use shared::error::{Error, Result};
use shared::pipeline::header_value;
use shared::rest::{Call, Input, Request, Server, Spec, etag};

use crate::config::Pictures;

include!(concat!(env!("OUT_DIR"), "/pictures.rs"));

#[derive(Clone)]
struct Shelf(Arc<HashMap<&'static str, Picture>>);

struct Picture {
    svg: &'static [u8],
    /// Of the content, without quotes.
    tag: String,
    headers: [(HeaderName, HeaderValue); 5],
}

/// Beside the routes of the contract, behind the same pipeline.
pub(crate) fn beside(router: Router, server: &Server, conf: &Pictures) -> Router {
    let cached = format!("public, max-age={}", conf.max_age.as_secs());
    let cached = header_value(cached.as_bytes());
    let shelf = PICTURES.iter().map(|(name, svg)| (*name, Picture::of(svg, &cached))).collect();
    let spec = Spec::new(Method::GET, "/pictures/{name}", "pictures.get");
    server.routes().add(&spec, get).beside(router, Shelf(Arc::new(shelf)))
}

impl Picture {
    fn of(svg: &'static [u8], cached: &HeaderValue) -> Picture {
        let digest = Sha256::digest(svg);
        let tag: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
            (CACHE_CONTROL, cached.clone()),
            (ETAG, header_value(format!("\"{tag}\"").as_bytes())),
            // Opened by itself, a picture is a page: it may do nothing but have styles.
            (
                CONTENT_SECURITY_POLICY,
                HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
            ),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        Picture { svg, tag, headers }
    }

    fn respond(&self, if_none_match: Option<String>) -> Response {
        let is_known = if_none_match.is_some_and(|tags| etag::is_known(&tags, &self.tag));
        let mut rsp = Response::new(if is_known { Body::empty() } else { Body::from(self.svg) });
        if is_known {
            *rsp.status_mut() = StatusCode::NOT_MODIFIED;
        }
        rsp.headers_mut().extend(self.headers.iter().cloned());
        rsp
    }
}

struct PictureReq {
    name: String,
    if_none_match: Option<String>,
}

impl Request for PictureReq {
    const BODY: bool = false;

    fn read(input: &mut Input<'_>) -> Option<PictureReq> {
        let name = input.path.required("name", &[]);
        let if_none_match = input.header.optional("If-None-Match", &[]);
        Some(PictureReq { name: name?, if_none_match: if_none_match? })
    }
}

async fn get(State(shelf): State<Shelf>, mut call: Call) -> Response {
    let found = async {
        let req: PictureReq = call.request().await?;
        let picture = shelf.0.get(req.name.as_str()).ok_or_else(|| Error::not_found("no such picture"))?;
        Result::Ok(picture.respond(req.if_none_match))
    };
    match found.await {
        Ok(rsp) => rsp,
        Err(error) => call.answer::<()>(Err::<(), _>(error)),
    }
}
