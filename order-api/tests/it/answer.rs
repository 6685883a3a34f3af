//! An answer of the gateway, and what must hold for each of them.

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null where there is none.
    pub(crate) body: Value,
    path: String,
}

impl Answer {
    /// Sends the request. Whatever comes back names its trace.
    pub(crate) async fn to(req: RequestBuilder) -> Answer {
        let rsp = req.send().await.unwrap();
        let path = rsp.url().path().to_owned();
        let (status, headers) = (rsp.status().as_u16(), rsp.headers().clone());
        let bytes = rsp.bytes().await.unwrap();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        let answer = Answer { status, headers, body, path };
        let trace = answer.header("x-trace-id").to_owned();
        assert!(trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit()), "{trace}");
        answer
    }

    /// Empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn body(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        if !self.body.is_null() {
            assert_eq!(self.header("content-type"), "application/json");
        }
        self.body
    }

    /// A refusal, whole and as RFC 9457 has it.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> &Value {
        let body = &self.body;
        assert_eq!(self.status, status, "{body}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["type"], "about:blank");
        assert_eq!(body["status"], status);
        assert_eq!(body["code"], code);
        assert_eq!(body["instance"], self.path.as_str());
        assert_eq!(body["trace_id"], self.header("x-trace-id"));
        assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{body}");
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{body}");
        assert_eq!(self.header("www-authenticate"), if status == 401 { "Bearer" } else { "" });
        body
    }

    /// The pointers of a 400 that tells all that is wrong with the request.
    #[track_caller]
    pub(crate) fn faults(&self) -> Vec<&str> {
        let errors = self.problem(400, "invalid_argument")["errors"].as_array().expect("the faults");
        errors
            .iter()
            .map(|fault| {
                assert!(fault["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{fault}");
                fault["pointer"].as_str().expect("where it is")
            })
            .collect()
    }
}
