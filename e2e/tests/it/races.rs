//! Many customers at once, and few pieces.

use e2e::shop::{Answer, Customer, Shop};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};

/// A few at a time: hashing a password takes a while, on purpose.
async fn customers(shop: &Shop, count: usize) -> Vec<Customer> {
    stream::iter(0..count).map(|_| shop.register()).buffered(4).collect().await
}

#[track_caller]
fn sort(answers: Vec<Answer>) -> (usize, usize) {
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    let refused: Vec<_> = refused.into_iter().map(|answer| answer.refused(409, "out_of_stock")).collect();
    (made.len(), refused.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_customers_order_the_last_twenty_pieces() {
    let shop = Shop::open().await;
    let (admin, customers) = (shop.admin().await, customers(&shop, 64).await);
    let product = admin.stock_up(20).await;
    let lines = [(product.as_str(), 1)];
    let answers = join_all(customers.iter().map(|customer| async { customer.place(&lines).await })).await;
    assert_eq!(sort(answers), (20, 44));
    let stock = admin.stock_of(&product).await.ok(200);
    assert_eq!(
        (&stock["on_hand"], &stock["reserved"], &stock["available"]),
        (&20.into(), &20.into(), &0.into())
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_several_products_in_any_order_get_all_or_nothing() {
    let shop = Shop::open().await;
    let (admin, customers) = (shop.admin().await, customers(&shop, 24).await);
    let mut products = Vec::new();
    for on_hand in [10, 12, 14] {
        products.push(admin.stock_up(on_hand).await);
    }
    let place = |(at, customer): (usize, &Customer)| {
        let mut lines: Vec<(&str, i64)> = products.iter().map(|product| (product.as_str(), 1)).collect();
        lines.rotate_left(at % 3);
        if at % 2 == 1 {
            lines.reverse();
        }
        let call = customer.place(&lines);
        async move { call.await }
    };
    let answers = join_all(customers.iter().enumerate().map(place)).await;
    assert_eq!(sort(answers), (10, 14));
    for (product, left) in products.iter().zip([0, 2, 4]) {
        assert_eq!(admin.stock_of(product).await.ok(200)["available"], left);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_paid_or_cancelled_and_never_both() {
    let shop = Shop::open().await;
    let customers = customers(&shop, 8).await;
    for customer in &customers {
        let order = customer.order(&[("claw-hammer", 1)]).await;
        let (paid, cancelled) =
            tokio::join!(async { customer.pay(&order, e2e::shop::CARD_OK).await }, async {
                customer.cancel(&order).await
            });
        let order = customer.look_at(&order).await;
        match (paid.status, cancelled.status) {
            (200, 409) => assert_eq!(order.status(), "paid"),
            (200, 200) => assert_eq!(order.status(), "refunded", "cancelled after it was paid"),
            (409, 200) => assert_eq!(order.status(), "cancelled"),
            other => panic!("{other:?}: {order:?}"),
        }
    }
    shop.close().await;
}
