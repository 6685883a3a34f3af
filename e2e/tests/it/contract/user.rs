//! The routes of users.

use e2e::shop::fresh;
use reqwest::Method;
use serde_json::{Value, json};

use super::{contract, shop_with_an_old_token, usual_refusals};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_about_users() {
    let Some((shop, old)) = shop_with_an_old_token().await else { return };
    usual_refusals(&shop, "user", &old).await;
    let post = |path: &str, body: Value| shop.call(Method::POST, &format!("/v1/users/{path}")).json(&body);

    let (email, password) = (format!("{}@example.com", fresh("berta")), "correct horse battery");
    let user = post("register", json!({"email": email, "password": password, "name": "Berta"})).await.ok(201);
    assert_eq!(
        (&user["email"], &user["name"], &user["role"]),
        (&json!(email), &json!("Berta"), &json!("customer"))
    );
    let domain = email.replace("example.com", "EXAMPLE.com");
    post("register", json!({"email": domain, "password": password, "name": "B"}))
        .await
        .refused(409, "email_taken");
    let wrong =
        post("register", json!({"email": "berta", "password": "short", "name": ""})).await.invalid("/email");
    let pointers: Vec<&str> =
        wrong["errors"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/email", "/password", "/name"]);

    let login = |email: &str, password: &str| post("login", json!({"email": email, "password": password}));
    let tokens = login(&email, password).await.ok(200);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert!(tokens["refresh_expires_in"].as_i64().unwrap() > 900);
    let wrong = login(&email, "not the password").await.refused(401, "invalid_credentials");
    let unknown = login("nobody@example.com", "not the password").await.refused(401, "invalid_credentials");
    assert_eq!(wrong["detail"], unknown["detail"]);

    let bearer = |tokens: &Value| tokens["access_token"].as_str().unwrap().to_owned();
    let me = shop.call(Method::GET, "/v1/users/me").bearer(&bearer(&tokens)).await.ok(200);
    assert_eq!(me, user);

    let refresh = |token: &Value| post("refresh", json!({"refresh_token": token}));
    let second = refresh(&tokens["refresh_token"]).await.ok(200);
    // The answer was lost, and is asked for again.
    let same = refresh(&tokens["refresh_token"]).await.ok(200);
    assert_eq!(same["refresh_token"], second["refresh_token"]);
    let third = refresh(&second["refresh_token"]).await.ok(200);
    refresh(&tokens["refresh_token"]).await.refused(401, "token_reused");
    refresh(&third["refresh_token"]).await.refused(401, "token_reused");
    refresh(&json!("never seen")).await.refused(401, "unauthenticated");
    refresh(&json!(old.refresh_token)).await.refused(401, "token_expired");

    let tokens = login(&email, password).await.ok(200);
    for _ in 0..2 {
        post("logout", json!({"refresh_token": tokens["refresh_token"]})).await.ok(204);
    }
    refresh(&tokens["refresh_token"]).await.refused(401, "token_reused");

    let keys = shop.call(Method::GET, "/.well-known/jwks.json").await.ok(200);
    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
    assert!(!key["kid"].as_str().unwrap().is_empty() && key.get("d").is_none());

    shop.covers(&contract(), "user");
    shop.close().await;
}
