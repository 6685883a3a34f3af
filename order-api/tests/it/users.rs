//! Register, login, refresh, logout, profile.

use proto::user::v1::{
    GetUserRequest, LoginRequest, LogoutRequest, LogoutResponse, Profile, RefreshRequest, RegisterRequest,
    Tokens,
};
use serde_json::json;
use shared::error::{Code, Error};

use crate::answer::Answer;
use crate::samples::{AT, AT_MS};
use crate::world::{CUSTOMER, World};

fn ada() -> Profile {
    Profile {
        id: CUSTOMER.to_owned(),
        email: "ada@example.com".to_owned(),
        name: "Ada".to_owned(),
        role: "customer".to_owned(),
        created_at_ms: AT_MS,
    }
}

fn tokens() -> Tokens {
    Tokens {
        access_token: "a.b.c".to_owned(),
        expires_in: 900,
        refresh_token: "r".to_owned(),
        refresh_expires_in: 2_592_000,
    }
}

#[tokio::test]
async fn who_registers_is_told_who_they_are() {
    let world = World::new("register").await;
    world.user.on("register", |_: RegisterRequest| Ok(ada()));
    let body = json!({"email": "ada@example.com", "password": "correct horse battery", "name": "Ada"});
    let answer = world.post("/v1/users/register", &body).await;
    let expected = json!({
        "id": CUSTOMER, "email": "ada@example.com", "name": "Ada", "role": "customer", "created_at": AT,
    });
    assert_eq!(answer.body(201), expected);
    let asked: RegisterRequest = world.user.asked_once("register");
    assert_eq!(
        (asked.email.as_str(), asked.password.as_str(), asked.name.as_str()),
        ("ada@example.com", "correct horse battery", "Ada")
    );
}

#[tokio::test]
async fn a_registration_is_refused_for_all_its_faults_at_once() {
    let world = World::new("register-faults").await;
    let body = json!({"email": "nobody", "password": "short", "nick": "A"});
    let answer = world.post("/v1/users/register", &body).await;
    assert_eq!(answer.faults(), ["/email", "/password", "/name", "/nick"]);
    assert!(world.user.asked::<RegisterRequest>("register").is_empty());
    world.user.on("register", |_: RegisterRequest| {
        Err::<Profile, _>(Error::new(Code::Conflict, "email_taken", "this address has an account"))
    });
    let body = json!({"email": "ada@example.com", "password": "correct horse battery", "name": "Ada"});
    world.post("/v1/users/register", &body).await.problem(409, "email_taken");
}

#[tokio::test]
async fn tokens_come_from_a_login_and_from_a_refresh() {
    let world = World::new("tokens").await;
    world.user.on("login", |_: LoginRequest| Ok(tokens()));
    world.user.on("refresh", |_: RefreshRequest| Ok(tokens()));
    let expected = json!({
        "access_token": "a.b.c", "token_type": "Bearer", "expires_in": 900, "refresh_token": "r",
        "refresh_expires_in": 2_592_000,
    });
    let login = json!({"email": "ada@example.com", "password": "x"});
    let answer = world.post("/v1/users/login", &login).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.body(200), expected);
    assert_eq!(world.post("/v1/users/refresh", &json!({"refresh_token": "q"})).await.body(200), expected);
    assert_eq!(world.user.asked_once::<RefreshRequest>("refresh").refresh_token, "q");
    world.user.on("login", |_: LoginRequest| {
        Err::<Tokens, _>(Error::new(Code::Unauthenticated, "invalid_credentials", "wrong"))
    });
    world.post("/v1/users/login", &login).await.problem(401, "invalid_credentials");
    for reason in ["unauthenticated", "token_expired", "token_reused"] {
        world.user.on("refresh", move |_: RefreshRequest| {
            Err::<Tokens, _>(Error::new(Code::Unauthenticated, reason, "no longer"))
        });
        world.post("/v1/users/refresh", &json!({"refresh_token": "q"})).await.problem(401, reason);
    }
}

#[tokio::test]
async fn a_logout_answers_nothing() {
    let world = World::new("logout").await;
    world.user.on("logout", |_: LogoutRequest| Ok(LogoutResponse {}));
    let answer = world.post("/v1/users/logout", &json!({"refresh_token": "q"})).await;
    assert!(answer.body(204).is_null());
    assert_eq!(world.post("/v1/users/logout", &json!({})).await.faults(), ["/refresh_token"]);
}

#[tokio::test]
async fn a_user_is_known_until_they_are_gone() {
    let world = World::new("me").await;
    world.user.on("get_user", |_: GetUserRequest| Ok(ada()));
    let me = Answer::to(world.as_customer("GET", "/v1/users/me")).await.body(200);
    assert_eq!((&me["id"], &me["created_at"]), (&json!(CUSTOMER), &json!(AT)));
    assert_eq!(world.user.asked_once::<GetUserRequest>("get_user").id, CUSTOMER);
    world.user.on("get_user", |_: GetUserRequest| Err::<Profile, _>(Error::not_found("no such user")));
    Answer::to(world.as_customer("GET", "/v1/users/me")).await.problem(401, "unauthenticated");
}
