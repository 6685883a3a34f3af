//! user-rpc as its clients see it: over real gRPC, each test with a database of its own.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use proto::user::v1::user_client::UserClient;
use proto::user::v1::{
    GetUserRequest, ListKeysRequest, LoginRequest, LogoutRequest, RefreshRequest, RegisterRequest, Tokens,
};
use shared::config::{self, Loaded, Mode};
use shared::error::Error;
use shared::lifecycle::{Lifecycle, Shutdown};
use shared::pipeline::auth::{Jwk, Keys, Rejected, Rules, Verifier};
use shared::rpc::client;
use shared::store::kv::Kv;
use tempfile::TempDir;
use user_rpc::config::Config;

struct World {
    user: UserClient<client::Channel>,
    _lifecycle: Lifecycle,
    _folder: TempDir,
}

/// The configuration that comes with the service, in a folder of the test's own.
fn configuration(folder: &Path) -> Loaded<Config> {
    let text = include_str!("../../etc/user-rpc.yaml");
    config::parse("user-rpc.yaml", text, &|name| (name == "DATA").then(|| folder.display().to_string()))
        .unwrap()
}

async fn world(name: &str, change: impl FnOnce(&mut Config)) -> World {
    let folder = TempDir::new().unwrap();
    instance(name, &folder, change).await.with(folder)
}

/// One of several on the data of a folder.
async fn instance(name: &str, folder: &TempDir, change: impl FnOnce(&mut Config)) -> Instance {
    let lifecycle = Lifecycle::new("user-rpc", &Shutdown::default());
    let Loaded { mut listen, mut own, service } = configuration(folder.path());
    listen.port = 0;
    listen.registry = format!("memory://{name}");
    change(&mut own);
    user_rpc::start(listen.clone(), own, service.mode, &lifecycle).await.unwrap();
    let conf = client::Conf { registry: listen.registry, key: listen.key, ..client::Conf::default() };
    let channel = client::connect(&conf, proto::DESCRIPTORS, &lifecycle).await.unwrap();
    Instance(UserClient::new(channel), lifecycle)
}

struct Instance(UserClient<client::Channel>, Lifecycle);

impl Instance {
    fn with(self, folder: TempDir) -> World {
        World { user: self.0, _lifecycle: self.1, _folder: folder }
    }
}

impl World {
    async fn register(&mut self, email: &str, password: &str) -> Result<String, Error> {
        self.register_as("Anna", email, password).await
    }

    async fn register_as(&mut self, name: &str, email: &str, password: &str) -> Result<String, Error> {
        let req = RegisterRequest { email: email.into(), password: password.into(), name: name.into() };
        Ok(self.user.register(req).await?.into_inner().id)
    }

    async fn login(&mut self, email: &str, password: &str) -> Result<Tokens, Error> {
        let req = LoginRequest { email: email.into(), password: password.into() };
        Ok(self.user.login(req).await?.into_inner())
    }

    async fn refresh(&mut self, token: &str) -> Result<Tokens, Error> {
        Ok(self.user.refresh(RefreshRequest { refresh_token: token.into() }).await?.into_inner())
    }

    async fn logout(&mut self, token: &str) {
        self.user.logout(LogoutRequest { refresh_token: token.into() }).await.unwrap();
    }

    async fn verifier(&mut self) -> Verifier {
        let keys = Keys::default();
        let known = self.user.list_keys(ListKeysRequest {}).await.unwrap().into_inner().keys;
        keys.replace(known.into_iter().map(|key| Jwk::ed25519(key.kid, key.x)).collect());
        Verifier::new(keys, &Rules::of("user-rpc", "order-api"))
    }
}

#[track_caller]
fn reason<T>(refused: Result<T, Error>) -> String {
    refused.err().expect("it is refused").reason().to_owned()
}

const PASSWORD: &str = "correct horse battery";

#[tokio::test]
async fn who_registers_can_log_in_and_is_known_by_the_public_key() {
    let mut world = world("user-login", |_| {}).await;
    let id = world.register("anna@Example.COM", PASSWORD).await.unwrap();
    let tokens = world.login("anna@example.com", PASSWORD).await.unwrap();
    assert_eq!(tokens.expires_in, 900);
    let verifier = world.verifier().await;
    let caller = verifier.verify(&tokens.access_token).unwrap();
    assert_eq!((caller.id.as_str(), caller.role.as_str()), (id.as_str(), "customer"));
    assert_eq!(verifier.verify(&tokens.access_token).unwrap(), caller);
    let profile = world.user.get_user(GetUserRequest { id }).await.unwrap().into_inner();
    assert_eq!(profile.email, "anna@example.com");
    let admin = world.login("admin@example.com", "admin-development-only").await.unwrap();
    assert_eq!(verifier.verify(&admin.access_token).unwrap().role, "admin");
}

#[tokio::test]
async fn a_token_that_was_changed_or_signed_by_another_is_not_valid() {
    let (mut world, mut other) =
        (world("user-forged", |_| {}).await, self::world("user-forger", |_| {}).await);
    let good = world.login("demo@example.com", "demo-development-only").await.unwrap().access_token;
    let forged = other.login("admin@example.com", "admin-development-only").await.unwrap().access_token;
    let verifier = world.verifier().await;
    let (body, signature) = good.rsplit_once('.').unwrap();
    let swapped = forged.rsplit_once('.').unwrap().0;
    for bad in [forged.as_str(), body, "", "a.b.c", &format!("{swapped}.{signature}")] {
        assert_eq!(verifier.verify(bad).unwrap_err(), Rejected::Invalid, "{bad}");
    }
}

#[tokio::test]
async fn wrong_and_unknown_look_the_same() {
    let mut world = world("user-wrong", |_| {}).await;
    assert_eq!(reason(world.login("demo@example.com", PASSWORD).await), "invalid_credentials");
    assert_eq!(reason(world.login("nobody@example.com", PASSWORD).await), "invalid_credentials");
}

#[tokio::test]
async fn a_registration_is_refused_for_all_its_faults_at_once() {
    let mut world = world("user-faults", |_| {}).await;
    let refused = world.register("no address", "short").await.unwrap_err();
    let pointers: Vec<_> = refused.faults().iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/email", "/password"]);
    for name in [" ", "An\0na", "Anna\nBert"] {
        let refused = world.register_as(name, "anna@example.com", PASSWORD).await.unwrap_err();
        assert_eq!(refused.faults()[0].pointer, "/name", "{name:?}");
    }
    assert_eq!(reason(world.register("demo@EXAMPLE.com", PASSWORD).await), "email_taken");
}

#[tokio::test]
async fn a_refresh_token_is_spent_and_within_the_grace_answers_again() {
    let mut world = world("user-refresh", |_| {}).await;
    let first = world.login("demo@example.com", "demo-development-only").await.unwrap().refresh_token;
    let second = world.refresh(&first).await.unwrap().refresh_token;
    assert_ne!(first, second);
    assert_eq!(world.refresh(&first).await.unwrap().refresh_token, second);
    let third = world.refresh(&second).await.unwrap().refresh_token;
    // The answer had arrived, since its token was used: the first one is in wrong hands.
    assert_eq!(reason(world.refresh(&first).await), "token_reused");
    assert_eq!(reason(world.refresh(&third).await), "token_reused");
    assert_eq!(reason(world.refresh("never seen").await), "unauthenticated");
}

#[tokio::test]
async fn after_the_grace_a_spent_token_revokes_its_family_and_no_other() {
    let mut world = world("user-grace", |config| config.token.grace = Duration::ZERO).await;
    let other = world.login("demo@example.com", "demo-development-only").await.unwrap().refresh_token;
    let first = world.login("demo@example.com", "demo-development-only").await.unwrap().refresh_token;
    let second = world.refresh(&first).await.unwrap().refresh_token;
    shared::testing::eventually(Duration::from_secs(5), async || world.refresh(&first).await.err()).await;
    assert_eq!(reason(world.refresh(&second).await), "token_reused");
    assert!(world.refresh(&other).await.is_ok());
}

/// Nobody has started before: there is neither a key nor an account.
#[tokio::test(flavor = "multi_thread")]
async fn several_that_start_at_once_are_one_service() {
    let folder = TempDir::new().unwrap();
    let started = (0..4).map(|at| {
        let folder = &folder;
        async move { instance(&format!("user-several-{at}"), folder, |_| {}).await }
    });
    let instances = join_all(started).await;
    let req = |token: &str| RefreshRequest { refresh_token: token.into() };
    let (email, password) = ("demo@example.com".into(), "demo-development-only".into());
    let login = instances[0].0.clone().login(LoginRequest { email, password }).await;
    let mut token = login.unwrap().into_inner().refresh_token;
    for _ in 0..5 {
        let spent = join_all(instances.iter().map(|one| {
            let (mut user, req) = (one.0.clone(), req(&token));
            async move { user.refresh(req).await.map(|rsp| rsp.into_inner().refresh_token) }
        }));
        // Whoever answers, it is the same successor.
        let answers: Vec<String> = spent.await.into_iter().collect::<Result<_, _>>().unwrap();
        assert!(answers.iter().all(|answer| *answer == answers[0] && *answer != token), "{answers:?}");
        token.clone_from(&answers[0]);
    }
}

#[tokio::test]
async fn a_logout_ends_the_family_and_may_be_repeated() {
    let mut world = world("user-logout", |_| {}).await;
    let first = world.login("demo@example.com", "demo-development-only").await.unwrap().refresh_token;
    let second = world.refresh(&first).await.unwrap().refresh_token;
    world.logout(&second).await;
    world.logout(&second).await;
    assert_eq!(reason(world.refresh(&second).await), "token_reused");
}

#[test]
fn development_defaults_are_refused_outside_development() {
    let text = include_str!("../../etc/user-rpc.yaml");
    let refused = config::parse::<Config>("x", text, &|name| (name == "MODE").then(|| "pro".to_owned()));
    let message = refused.err().unwrap().to_string();
    assert!(message.contains("Admin.Password: is the development default"), "{message}");
    assert_eq!(configuration(Path::new("data")).service.mode, Mode::Dev);
}

#[tokio::test]
async fn a_profile_is_read_from_the_database_once() {
    let mut world = world("user-cache", |config| config.cache.url = "memory://user-cache".into()).await;
    let id = world.register("anna@example.com", PASSWORD).await.unwrap();
    let first = world.user.get_user(GetUserRequest { id: id.clone() }).await.unwrap().into_inner();
    // What stands in the cache is what is answered.
    let kv = Kv::open("memory://user-cache").unwrap();
    let key = format!("user.profile:{id}");
    let kept = kv.get(&key).await.unwrap().unwrap();
    assert!(kept.contains("anna@example.com") && !kept.contains("argon2"), "{kept}");
    kv.set(&key, &kept.replace("Anna", "Berta"), Duration::from_secs(60)).await.unwrap();
    let second = world.user.get_user(GetUserRequest { id }).await.unwrap().into_inner();
    assert_eq!((first.name.as_str(), second.name.as_str()), ("Anna", "Berta"));
    let nobody = GetUserRequest { id: "nobody".into() };
    assert_eq!(world.user.get_user(nobody).await.unwrap_err().code(), tonic::Code::NotFound);
    assert_eq!(kv.get("user.profile:nobody").await.unwrap().as_deref(), Some("-"));
}
