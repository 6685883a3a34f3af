//! The configuration file that comes with the gateway, and what it must not say.

use std::time::Duration;

use order_api::config::Config;
use shared::config;

const TEXT: &str = include_str!("../../etc/order-api.yaml");

#[test]
fn the_file_has_every_key_with_its_default() {
    let loaded = config::parse::<Config>("order-api.yaml", TEXT, &|_| None).unwrap();
    assert_eq!(loaded.listen.port, 8888);
    let own = loaded.own;
    assert_eq!(own.order_rpc.registry, "memory://ferromart");
    assert_eq!(own.queue.url, "memory://ferromart?groups=product-rpc");
    let default =
        format!("{:?} {:?} {:?}", config_default().keys, config_default().watch, config_default().pictures);
    assert_eq!(format!("{:?} {:?} {:?}", own.keys, own.watch, own.pictures), default);
    assert_eq!(own.keys.interval, Duration::from_secs(300));
}

/// What holds where a section is left out.
fn config_default() -> Config {
    let sections = ["Keys:", "Watch:", "Pictures:"];
    let mut left_out = false;
    let kept: Vec<&str> = TEXT
        .lines()
        .filter(|line| {
            if !line.starts_with([' ', '#']) {
                left_out = sections.contains(line);
            }
            !left_out
        })
        .collect();
    config::parse::<Config>("short.yaml", &kept.join("\n"), &|_| None).unwrap().own
}

#[test]
fn what_cannot_work_is_refused_before_a_port_is_bound() {
    let wrong = TEXT
        .replace("Interval: 5m", "Interval: 500ms")
        .replace("Behind: 16", "Behind: 0")
        .replace("Key: product.rpc", "Key: \"\"")
        .replace("MaxAge", "MaxAeg");
    let message = config::parse::<Config>("x", &wrong, &|_| None).err().unwrap().to_string();
    assert!(message.contains("Pictures.MaxAeg: unknown key; did you mean `MaxAge`?"), "{message}");
    let message = config::parse::<Config>("x", &wrong.replace("MaxAeg", "MaxAge"), &|_| None)
        .err()
        .unwrap()
        .to_string();
    for fault in ["ProductRpc: needs", "Keys.Pause: must", "Watch.Behind: must"] {
        assert!(message.contains(fault), "{message}");
    }
}
