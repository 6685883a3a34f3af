//! The carts: for each user a hash of product and quantity, which lives for a while after its last change.

use std::collections::BTreeMap;

use shared::error::{BoxError, Result};
use shared::store::kv::{Full, Kv};

use crate::config;

pub(crate) struct Carts {
    kv: Kv,
    conf: config::Cart,
}

impl Carts {
    pub(crate) fn open(conf: &config::Cart) -> Result<Carts, BoxError> {
        Ok(Carts { kv: Kv::open(&conf.url)?, conf: conf.clone() })
    }

    /// Product and quantity, in the order of the products' ids.
    pub(crate) async fn lines(&self, user_id: &str) -> Result<BTreeMap<String, i32>> {
        let fields = self.kv.fields(&key(user_id)).await?;
        // What is no number was not written by us.
        Ok(fields.into_iter().filter_map(|(id, quantity)| Some((id, quantity.parse().ok()?))).collect())
    }

    pub(crate) async fn set(
        &self,
        user_id: &str,
        product_id: &str,
        quantity: i32,
    ) -> Result<Result<(), Full>> {
        let config::Cart { max_lines, ttl, .. } = self.conf;
        self.kv.set_field(&key(user_id), product_id, &quantity.to_string(), max_lines, ttl).await
    }

    pub(crate) async fn remove(&self, user_id: &str, product_ids: &[&str]) -> Result<()> {
        self.kv.delete_fields(&key(user_id), product_ids).await
    }

    /// Takes out what was ordered. A line that was set anew meanwhile is the customer's latest word, and stays.
    pub(crate) async fn remove_ordered(&self, user_id: &str, lines: &[(&str, i32)]) -> Result<()> {
        let quantities: Vec<String> = lines.iter().map(|(_, quantity)| quantity.to_string()).collect();
        let fields: Vec<(&str, &str)> =
            lines.iter().zip(&quantities).map(|((id, _), quantity)| (*id, quantity.as_str())).collect();
        self.kv.delete_unchanged(&key(user_id), &fields).await
    }

    pub(crate) async fn clear(&self, user_id: &str) -> Result<()> {
        self.kv.delete(&key(user_id)).await
    }
}

fn key(user_id: &str) -> String {
    format!("cart:{user_id}")
}
