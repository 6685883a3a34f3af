//! The logic of all contracts here: it answers with what it was asked, so that a test sees what generated code made of a request.

pub(crate) mod tour {
    use std::collections::BTreeMap;

    use futures_util::stream;
    use serde_json::json;
    use shared::error::{Code, Error, Result};
    use shared::pipeline::auth::Caller;
    use shared::rest::{Event, Events, Reply};

    use crate::api::types::{
        CreateTourReq, ListToursReq, MoveTourReq, Tour, TourEvent, TourReq, WatchTourReq,
    };
    use crate::svc::ServiceContext;

    pub(crate) async fn create_tour(
        _: &ServiceContext,
        caller: Caller,
        req: CreateTourReq,
    ) -> Result<Reply<Tour>> {
        let option = req.option.map(|option| {
            json!({
                "members": option.members,
                "discount": option.discount,
                "share": option.share,
                "codes": option.codes,
            })
        });
        let rest = json!({
            "caller": caller.id,
            "key": req.idempotency_key,
            "dry_run": req.dry_run,
            "email": req.contact.email,
            "option": option,
            "sku": req.sku.map(|sku| sku.value),
            "extra": req.extra,
        });
        let tour = Tour {
            id: "7".to_owned(),
            title: req.title,
            r#type: req.r#type,
            starts_at: req.starts_at,
            note: Some(req.note),
            seats: req.seats,
            stops: req.stops,
            prices: req.prices.unwrap_or_default(),
            remark: req.remark,
            extra: Some(rest),
        };
        Ok(Reply::created(tour).location("/v1/tours/7"))
    }

    pub(crate) async fn move_tour(_: &ServiceContext, _: Caller, req: MoveTourReq) -> Result<Tour> {
        match req.reason {
            Some(_) => Ok(plain(req.id)),
            None => {
                Err(Error::new(Code::Conflict, "illegal_transition", "it has begun").with("state", "begun"))
            }
        }
    }

    pub(crate) async fn delete_tour(_: &ServiceContext, _: Caller, _: TourReq) -> Result<()> {
        Ok(())
    }

    pub(crate) async fn list_tours(_: &ServiceContext, req: ListToursReq) -> Result<Vec<Tour>> {
        let rest = json!({
            "types": req.types,
            "input": req.input,
            "most_seats": req.most_seats,
            "page_size": req.page_size,
        });
        Ok(vec![Tour { extra: Some(rest), ..plain(1) }])
    }

    pub(crate) async fn get_tour(_: &ServiceContext, req: TourReq) -> Result<Tour> {
        Ok(plain(req.id))
    }

    pub(crate) async fn watch_tour(_: &ServiceContext, req: WatchTourReq) -> Result<Events> {
        let seq = req.last_event_id.unwrap_or_default() + 1;
        let event = Event::json("tour.moved", &TourEvent { seq })?.id(seq);
        Ok(Events::new(stream::iter([event])))
    }

    fn plain(id: i64) -> Tour {
        Tour {
            id: id.to_string(),
            title: "Round the lake".to_owned(),
            r#type: "walk".to_owned(),
            starts_at: None,
            note: None,
            seats: 12,
            stops: Vec::new(),
            prices: BTreeMap::new(),
            remark: None,
            extra: None,
        }
    }
}

pub(crate) mod admin {
    use shared::error::Result;
    use shared::pipeline::auth::Caller;

    use crate::api::types::Tour;
    use crate::svc::ServiceContext;

    pub(crate) async fn reset(_: &ServiceContext, _: Caller) -> Result<()> {
        Ok(())
    }

    pub(crate) async fn list_tours(_: &ServiceContext, _: Caller) -> Result<Vec<Tour>> {
        Ok(Vec::new())
    }
}

pub(crate) mod tours_api {
    use std::collections::BTreeMap;

    use shared::error::Result;

    use crate::svc::ServiceContext;

    pub(crate) async fn r#type(_: &ServiceContext) -> Result<BTreeMap<String, i64>> {
        Ok(BTreeMap::from([("walk".to_owned(), 2)]))
    }
}

pub(crate) mod ping_api {
    use shared::error::Result;

    use crate::svc::ServiceContext;

    pub(crate) async fn ping(_: &ServiceContext) -> Result<()> {
        Ok(())
    }
}

pub(crate) mod r#type {
    use shared::error::Result;

    use crate::names::types::{Input, Request, Serialize, Vec as Vector};
    use crate::svc::ServiceContext;

    /// The vector, and a null.
    pub(crate) async fn r#match(_: &ServiceContext, req: Vector) -> Result<Vec<Option<Vector>>> {
        Ok(vec![Some(req), None])
    }

    pub(crate) async fn r#async(_: &ServiceContext, req: Request) -> Result<Serialize> {
        Ok(Serialize { least: req.least, most: req.most, float: req.float })
    }

    pub(crate) async fn list(_: &ServiceContext, _: Input) -> Result<String> {
        Ok("a list".to_owned())
    }

    pub(crate) async fn head(_: &ServiceContext) -> Result<()> {
        Ok(())
    }

    pub(crate) async fn list_type(_: &ServiceContext) -> Result<()> {
        Ok(())
    }
}

pub(crate) mod type_list {
    use std::collections::BTreeMap;

    use shared::error::Result;

    use crate::names::types::Empty;
    use crate::svc::ServiceContext;

    pub(crate) async fn r#type(_: &ServiceContext) -> Result<BTreeMap<String, Empty>> {
        Ok(BTreeMap::from([("none".to_owned(), Empty {})]))
    }
}
