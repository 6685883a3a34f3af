//! The gateway's contract, which everything else is made from.

use std::path::Path;

use apigen::model::{Contract, Literal, Presence, Rule, Source, Type};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../order-api/order.api");

fn contract() -> Contract {
    apigen::load(PATH).expect("the contract is right")
}

#[test]
fn it_compiles() {
    let contract = contract();
    assert_eq!(contract.service, "order-api");
    assert_eq!(contract.info[0], ("title".to_owned(), "The shop's REST API".to_owned()));
    assert_eq!(contract.routes.len(), 27);
    assert_eq!(contract.files, [Path::new(PATH)]);
}

#[test]
fn embedded_fields_stand_where_the_struct_was_embedded() {
    let contract = contract();
    let request = contract.structs.iter().find(|one| one.name == "ListProductsReq").unwrap();
    let names: Vec<&str> = request.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["Category", "Q", "Sort", "PageSize", "PageToken"]);
    let size = &request.fields[3];
    assert_eq!((size.source, size.wire.as_str()), (Source::Form, "page_size"));
    assert_eq!(size.ty, Type::Integer { bits: 32, signed: true });
    assert_eq!(size.presence, Presence::Default(Literal::Integer(20)));
    assert_eq!(size.rules, [Rule::Integer { from: Some(1), to: Some(100) }]);
}

#[test]
fn formatting_leaves_the_contracts_as_they_are() {
    for name in ["order-api/order.api", "payment-sim/payment.api"] {
        let text = std::fs::read_to_string(format!("{}/../{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let formatted = apigen::format(name, &text).unwrap();
        assert!(formatted == text, "run `cargo run -p apigen -- format {name}`");
    }
}
