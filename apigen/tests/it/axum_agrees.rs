//! Which paths are at odds: the compiler and axum agree. Axum panics where two are, and that would be at the start.

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::Router;
use axum::routing::get;
use proptest::collection::vec;
use proptest::prelude::*;

type Path = Vec<&'static str>;

proptest! {
    #[test]
    fn paths_pass_where_axum_can_route_them(paths in vec(path(), 1..6)) {
        match apigen::parse(&[("a.api", &contract(&paths))]) {
            Ok(contract) => {
                let patterns: Vec<&str> = contract.routes.iter().map(|route| route.pattern.as_str()).collect();
                prop_assert_eq!(&patterns, &in_axum(&paths));
                prop_assert!(can_route(&patterns), "{:?}", patterns);
            }
            Err(diagnostics) => {
                let patterns = in_axum(&paths);
                let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
                prop_assert!(!can_route(&patterns), "{:?}\n{}", patterns, diagnostics);
            }
        }
    }
}

/// No parameter twice: that the compiler refuses by itself.
fn path() -> impl Strategy<Value = Path> {
    let part = prop_oneof![Just("x"), Just("y"), Just(":a"), Just(":b"), Just("x-y"), Just(".z")];
    let once = |path: &Path| {
        ["a", "b"].iter().all(|name| path.iter().filter(|part| part[1..] == **name).count() < 2)
    };
    vec(part, 0..4).prop_filter("a parameter twice", once)
}

fn contract(paths: &[Path]) -> String {
    let routes = paths.iter().enumerate().map(|(index, path)| {
        let parameters: String = path.iter().filter_map(|part| part.strip_prefix(':')).collect();
        format!("@handler H{index}\nget /{} (With{})\n", path.join("/"), parameters.to_uppercase())
    });
    let types = "
        type With {}
        type WithA { A string `path:\"a\"` }
        type WithB { B string `path:\"b\"` }
        type WithAB {
            WithA
            WithB
        }
        type WithBA { WithAB }";
    format!("{types}\nservice x {{\n{}}}\n", routes.collect::<String>())
}

fn in_axum(paths: &[Path]) -> Vec<String> {
    let patterns = paths.iter().map(|path| {
        let parts: Vec<String> = path
            .iter()
            .map(|part| part.strip_prefix(':').map_or((*part).to_owned(), |name| format!("{{{name}}}")))
            .collect();
        format!("/{}", parts.join("/"))
    });
    patterns.collect()
}

fn can_route(patterns: &[&str]) -> bool {
    let route =
        || patterns.iter().fold(Router::<()>::new(), |router, pattern| router.route(pattern, get(answer)));
    catch_unwind(AssertUnwindSafe(route)).is_ok()
}

async fn answer() {}
