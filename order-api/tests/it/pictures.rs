//! The pictures of the catalogue.

use std::path::Path;

use crate::answer::Answer;
use crate::world::World;

/// A picture's name and content, for each of the folder.
fn drawn() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pictures");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let read = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
    };
    files.map(read).collect()
}

#[test]
fn each_is_small_has_a_title_and_needs_nothing_from_elsewhere() {
    let drawn = drawn();
    assert_eq!(drawn.len(), 24);
    for (name, svg) in drawn {
        assert!(name.ends_with(".svg") && svg.len() <= 3072, "{name}");
        assert!(
            svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 400 300\""),
            "{name}"
        );
        assert!(svg.contains("<title>") && svg.ends_with("</svg>\n"), "{name}");
        for foreign in
            ["<text", "<script", "<image", "<foreignObject", "@import", "data:", "onload", "onclick"]
        {
            assert!(!svg.contains(foreign), "{name} has {foreign}");
        }
        assert_eq!(svg.matches("://").count(), 1, "{name} refers to elsewhere");
    }
}

#[tokio::test]
async fn each_is_served_and_kept_by_browsers() {
    let world = World::new("pictures").await;
    for (name, svg) in drawn() {
        let path = format!("/pictures/{name}");
        let rsp = world.request("GET", &path).send().await.unwrap();
        assert_eq!(rsp.status(), 200);
        let headers = rsp.headers().clone();
        assert_eq!(headers["content-type"], "image/svg+xml");
        assert_eq!(headers["cache-control"], "public, max-age=604800");
        assert_eq!(headers["content-security-policy"], "default-src 'none'; style-src 'unsafe-inline'");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["x-trace-id"].len(), 32);
        assert_eq!(rsp.text().await.unwrap(), svg);
        let again =
            world.request("GET", &path).header("if-none-match", &headers["etag"]).send().await.unwrap();
        assert_eq!(again.status(), 304);
        assert_eq!(again.headers()["etag"], headers["etag"]);
        assert_eq!(again.headers()["cache-control"], headers["cache-control"]);
        assert!(again.bytes().await.unwrap().is_empty());
    }
    let other = world.request("GET", "/pictures/claw-hammer.svg").header("if-none-match", "\"other\"");
    assert_eq!(other.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn one_that_nobody_drew_is_not_there() {
    let world = World::new("no-picture").await;
    for path in ["/pictures/nothing.svg", "/pictures/claw-hammer", "/pictures/..%2fsrc%2flib.rs"] {
        Answer::to(world.request("GET", path)).await.problem(404, "not_found");
    }
}
