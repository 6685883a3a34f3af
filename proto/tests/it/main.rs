//! What the contracts say of their methods.

use shared::rpc::methods;

#[test]
fn the_table_of_methods_says_which_may_be_sent_twice() {
    let table = methods(proto::DESCRIPTORS);
    let idempotent = |path: &str| {
        let method = table.iter().find(|method| method.path == path);
        method.unwrap_or_else(|| panic!("{path} is not in the contracts")).idempotent
    };
    assert!(idempotent("/ferromart.product.v1.Product/Reserve"));
    assert!(idempotent("/ferromart.product.v1.Product/GetProduct"));
    assert!(idempotent("/ferromart.order.v1.Order/PlaceOrder"));
    assert!(!idempotent("/ferromart.user.v1.User/Refresh"));
    assert!(!idempotent("/ferromart.order.v1.Order/ShipOrder"));
}
