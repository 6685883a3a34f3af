//! Header values without an allocation each: slices of a block that the thread fills up.

use std::cell::RefCell;

use bytes::{BufMut, BytesMut};
use http::HeaderValue;

const BLOCK_BYTES: usize = 4096;

thread_local! {
    static BLOCK: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// # Panics
/// Where `text` has control characters: it is for ids and numbers.
pub fn value(text: &[u8]) -> HeaderValue {
    BLOCK.with_borrow_mut(|block| {
        if block.capacity() < text.len() {
            *block = BytesMut::with_capacity(BLOCK_BYTES.max(text.len()));
        }
        block.put_slice(text);
        HeaderValue::from_maybe_shared(block.split().freeze())
            .expect("ids and numbers are visible characters")
    })
}
