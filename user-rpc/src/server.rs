//! The contract's methods, one line each.

use proto::user::v1::user_server::User;
use proto::user::v1::{
    GetUserRequest, ListKeysRequest, ListKeysResponse, LoginRequest, LogoutRequest, LogoutResponse, Profile,
    RefreshRequest, RegisterRequest, Tokens,
};
use tonic::{Request, Response, Status, async_trait};

use crate::logic;
use crate::svc::ServiceContext;

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl User for ServiceContext {
    async fn register(&self, req: Request<RegisterRequest>) -> Answer<Profile> {
        Ok(Response::new(logic::register::register(self, req.into_inner()).await?))
    }

    async fn login(&self, req: Request<LoginRequest>) -> Answer<Tokens> {
        Ok(Response::new(logic::login::login(self, req.into_inner()).await?))
    }

    async fn refresh(&self, req: Request<RefreshRequest>) -> Answer<Tokens> {
        Ok(Response::new(logic::refresh::refresh(self, req.into_inner()).await?))
    }

    async fn logout(&self, req: Request<LogoutRequest>) -> Answer<LogoutResponse> {
        Ok(Response::new(logic::logout::logout(self, req.into_inner()).await?))
    }

    async fn get_user(&self, req: Request<GetUserRequest>) -> Answer<Profile> {
        Ok(Response::new(logic::get_user::get_user(self, req.into_inner()).await?))
    }

    async fn list_keys(&self, _: Request<ListKeysRequest>) -> Answer<ListKeysResponse> {
        Ok(Response::new(logic::list_keys::list_keys(self).await?))
    }
}
