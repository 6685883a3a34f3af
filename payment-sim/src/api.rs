//! The routes of `payment.api` and their types, as its compiler would write them.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use http::Method;
use shared::rest::{Call, Server, Spec};
use std::time::Duration;

use crate::logic;
use crate::svc::ServiceContext;

pub(crate) fn routes(server: &Server, ctx: &ServiceContext) -> Router {
    let create = Spec {
        timeout: Some(Duration::from_secs(90)),
        max_bytes: Some(16384),
        ..Spec::new(Method::POST, "/v1/charges", "charge.create")
    };
    server
        .routes()
        .add(&create, create_charge)
        .add(&Spec::new(Method::GET, "/v1/charges", "charge.list"), list_charges)
        .add(&Spec::new(Method::GET, "/v1/charges/{key}", "charge.get"), get_charge)
        .add(&Spec::new(Method::POST, "/v1/charges/{key}/void", "charge.void"), void_charge)
        .add(&Spec::new(Method::POST, "/v1/charges/{key}/refund", "charge.refund"), refund_charge)
        .into_router(ctx.clone())
}

macro_rules! handler {
    ($name:ident, $logic:path, $request:ty, $answer:ty) => {
        async fn $name(State(ctx): State<ServiceContext>, mut call: Call) -> Response {
            let outcome = match call.request::<$request>().await {
                Ok(request) => $logic(&ctx, request).await,
                Err(error) => Err(error),
            };
            call.answer::<$answer>(outcome)
        }
    };
}

handler!(create_charge, logic::charge::create, types::CreateReq, types::Charge);
handler!(list_charges, logic::charge::list, types::ListReq, types::ChargeList);
handler!(get_charge, logic::charge::get, types::KeyReq, types::Charge);
handler!(void_charge, logic::charge::void, types::KeyReq, types::Charge);
handler!(refund_charge, logic::charge::refund, types::KeyReq, types::Charge);

pub(crate) mod types {
    use serde::Serialize;
    use serde_json::Value;
    use shared::rest::{Decode, Faults, Format, Input, Members, Pointer, Request, Rule};

    pub(crate) struct Card {
        pub number: String,
        pub exp_month: i32,
        pub exp_year: i32,
    }

    impl Decode for Card {
        fn decode(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Card> {
            let mut members = Members::of(value, at, faults)?;
            let number = members.required("number", &[Rule::Format(Format::Luhn)]);
            let exp_month = members.required("exp_month", &[Rule::Integer(1..=12)]);
            let exp_year = members.required("exp_year", &[Rule::Integer(2000..=2100)]);
            let cvc: Option<String> =
                members.required("cvc", &[Rule::Length(3..=4), Rule::Format(Format::Digits)]);
            members.close();
            // What nothing reads is not kept.
            cvc?;
            Some(Card { number: number?, exp_month: exp_month?, exp_year: exp_year? })
        }
    }

    pub(crate) struct CreateReq {
        pub idempotency_key: Option<String>,
        pub amount: i64,
        pub currency: String,
        pub card: Card,
        pub reference: String,
    }

    impl Request for CreateReq {
        const BODY: bool = true;

        fn read(input: &mut Input<'_>) -> Option<CreateReq> {
            let idempotency_key = input.header.optional("Idempotency-Key", &[Rule::Length(1..=255)]);
            let amount = input.body.required("amount", &[Rule::Integer(1..=1_000_000_000_000_000)]);
            let currency = input.body.required("currency", &[Rule::Format(Format::Currency)]);
            let card = input.body.required("card", &[]);
            let reference = input.body.required("reference", &[Rule::Length(1..=200)]);
            Some(CreateReq {
                idempotency_key: idempotency_key?,
                amount: amount?,
                currency: currency?,
                card: card?,
                reference: reference?,
            })
        }
    }

    pub(crate) struct KeyReq {
        pub key: String,
    }

    impl Request for KeyReq {
        const BODY: bool = false;

        fn read(input: &mut Input<'_>) -> Option<KeyReq> {
            Some(KeyReq { key: input.path.required("key", &[Rule::Length(1..=255)])? })
        }
    }

    pub(crate) struct ListReq {
        pub page_size: i32,
        pub page_token: Option<String>,
    }

    impl Request for ListReq {
        const BODY: bool = false;

        fn read(input: &mut Input<'_>) -> Option<ListReq> {
            let page_size = input.query.or_else("page_size", &[Rule::Integer(1..=100)], || 20);
            let page_token = input.query.optional("page_token", &[Rule::Length(1..=512)]);
            Some(ListReq { page_size: page_size?, page_token: page_token? })
        }
    }

    #[derive(Serialize)]
    pub(crate) struct Charge {
        pub key: String,
        pub status: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub decline_code: Option<String>,
        pub amount: i64,
        pub currency: String,
        pub card_brand: String,
        pub card_last4: String,
        pub reference: String,
        pub created_at: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub decided_at: Option<String>,
    }

    #[derive(Serialize)]
    pub(crate) struct ChargeList {
        pub items: Vec<Charge>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub next_page_token: Option<String>,
    }
}
