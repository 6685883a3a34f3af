//! Configuration: YAML with the environment in it. Every fault of a file is reported at once, with the path of its key;
//! a key that nothing reads is a fault. This is the only place that reads the environment.

pub mod duration;
mod environment;
mod secret;

use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use environment::{Environment, Expansion, Expansions};

pub use secret::Secret;

use crate::lifecycle::Shutdown;
use crate::telemetry::{Log, Prometheus, Telemetry};

/// What the process is for. Development defaults, such as well-known passwords, are refused in `pre` and `pro`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Dev,
    Test,
    Pre,
    #[default]
    Pro,
}

impl Mode {
    pub fn is_development(self) -> bool {
        matches!(self, Mode::Dev | Mode::Test)
    }
}

/// The keys that every service has beside its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Service {
    pub name: String,
    #[serde(default)]
    pub mode: Mode,
    #[serde(default)]
    pub log: Log,
    #[serde(default)]
    pub prometheus: Prometheus,
    #[serde(default)]
    pub telemetry: Telemetry,
    #[serde(default)]
    pub shutdown: Shutdown,
}

/// A part of a configuration whose keys stand side by side with those of other parts.
pub trait Part: DeserializeOwned {
    const KEYS: &'static [&'static str];
}

impl Part for Service {
    const KEYS: &'static [&'static str] = &["Name", "Mode", "Log", "Prometheus", "Telemetry", "Shutdown"];
}

/// A service's own part of its configuration.
pub trait Config: DeserializeOwned {
    /// How it listens: the keys of a REST or an RPC server.
    type Listen: Part;

    /// Checks what one key alone cannot tell, before a port is bound. A fault names the key and the way out.
    fn check(&self, mode: Mode, faults: &mut Faults);
}

/// A whole configuration, by parts.
pub struct Loaded<C: Config> {
    pub service: Service,
    pub listen: C::Listen,
    pub own: C,
}

/// All that is wrong with a configuration.
#[derive(Debug, Default)]
pub struct Faults(Vec<String>);

impl Faults {
    pub fn add(&mut self, path: &str, fault: impl fmt::Display) {
        self.0.push(format!("{path}: {fault}"));
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path} cannot be read")]
    Unreadable { path: String, source: std::io::Error },
    #[error("{path} is not YAML: {detail}")]
    Malformed { path: String, detail: String },
    #[error("{path} is not a valid configuration:\n  {}", faults.join("\n  "))]
    Faulty { path: String, faults: Vec<String> },
}

/// Reads a file, with the process' environment.
pub fn load<C: Config>(path: &Path) -> Result<Loaded<C>, Error> {
    let shown = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|source| Error::Unreadable { path: shown.clone(), source })?;
    parse(&shown, &text, &environment)
}

/// A variable of the process' environment.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads a text; `path` is what faults call it.
pub fn parse<C: Config>(path: &str, text: &str, environment: Environment<'_>) -> Result<Loaded<C>, Error> {
    let malformed = |detail: String| Error::Malformed { path: path.to_owned(), detail };
    let tree: Value = serde_saphyr::from_str(text).map_err(|error| malformed(error.to_string()))?;
    let Value::Object(mut own) = tree else {
        return Err(malformed("it holds no keys".to_owned()));
    };
    let mut faults = Faults::default();
    let expansions = environment::expand_all(&mut own, environment, &mut faults);
    let service = take::<Service>(&mut own, &expansions, &mut faults);
    let listen = take::<C::Listen>(&mut own, &expansions, &mut faults);
    let also: Vec<&str> = Service::KEYS.iter().chain(C::Listen::KEYS).copied().collect();
    let own = read::<C>(own, &also, &expansions, &mut faults);
    if let (Some(service), Some(own)) = (&service, &own) {
        own.check(service.mode, &mut faults);
    }
    match (service, listen, own) {
        (Some(service), Some(listen), Some(own)) if faults.0.is_empty() => {
            Ok(Loaded { service, listen, own })
        }
        _ => Err(Error::Faulty { path: path.to_owned(), faults: faults.0 }),
    }
}

/// Reads the part's keys and takes them out.
fn take<P: Part>(keys: &mut Map<String, Value>, expansions: &Expansions, faults: &mut Faults) -> Option<P> {
    read::<P>(P::KEYS.iter().filter_map(|key| keys.remove_entry(*key)).collect(), &[], expansions, faults)
}

/// Deserialises, and after a fault once more without the faulty key, until all faults are known. A key of which the
/// environment made a text that it cannot take is given what else there is, first.
fn read<T: DeserializeOwned>(
    keys: Map<String, Value>,
    also: &[&str],
    expansions: &Expansions,
    faults: &mut Faults,
) -> Option<T> {
    let mut tree = Value::Object(keys);
    let (mut forgotten, mut offered) = (Vec::new(), Vec::new());
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(&tree) {
            Ok(read) => return forgotten.is_empty().then_some(read),
            Err(error) => error,
        };
        let (path, words) = (error.path().to_string(), error.inner().to_string());
        if let Some(key) = words.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            let path = if path == "." { key.to_owned() } else { format!("{path}.{key}") };
            // A faulty key that was taken out is not missing.
            if !forgotten.contains(&path) {
                faults.add(&path, "is required");
            }
            return None;
        }
        let expansion = expansions.get(&path).filter(|_| !offered.contains(&path));
        if let Some(Expansion::Scalar(scalar)) = expansion
            && let Some(value) = find(&mut tree, error.path())
        {
            *value = scalar.clone();
            offered.push(path);
            continue;
        }
        // Its default counts, if it has one.
        if expansion == Some(&Expansion::Nothing) && forget(&mut tree, error.path()).is_some() {
            continue;
        }
        match expansion {
            Some(Expansion::Empty(name)) => faults.add(
                &path,
                format!(
                    "the environment has {name} without a value; give it one, or write ${{{name}:-default}}"
                ),
            ),
            _ => faults.add(&path, explain(&words, also)),
        }
        forgotten.push(forget(&mut tree, error.path())?);
    }
}

/// Serde's words, and for an unknown key the one that was probably meant.
fn explain(words: &str, also: &[&str]) -> String {
    let mut names = words.split('`').skip(1).step_by(2);
    if !words.starts_with("unknown field") {
        return words.to_owned();
    }
    let Some(unknown) = names.next() else { return words.to_owned() };
    let near = names
        .chain(also.iter().copied())
        .map(|name| (strsim::damerau_levenshtein(&unknown.to_lowercase(), &name.to_lowercase()), name))
        .min();
    match near {
        Some((distance, name)) if distance <= 1 + unknown.len() / 4 => {
            format!("unknown key; did you mean `{name}`?")
        }
        _ => "unknown key".to_owned(),
    }
}

fn find<'a>(tree: &'a mut Value, path: &serde_path_to_error::Path) -> Option<&'a mut Value> {
    path.iter().try_fold(tree, |at, segment| match segment {
        Segment::Map { key } => at.get_mut(key),
        Segment::Seq { index } => at.get_mut(index),
        Segment::Enum { .. } | Segment::Unknown => None,
    })
}

/// Takes the value at `path` out of the tree, and tells what its key was; a list goes as a whole, since its items are
/// known by their places. `None` where there is none, as for a key that is missing.
fn forget(tree: &mut Value, path: &serde_path_to_error::Path) -> Option<String> {
    let keys = path.iter().map_while(|segment| match segment {
        Segment::Map { key } => Some(key.as_str()),
        _ => None,
    });
    let keys: Vec<&str> = keys.collect();
    let (last, before) = keys.split_last()?;
    let at = before.iter().try_fold(tree, |at, key| at.get_mut(key))?;
    at.as_object_mut()?.remove(*last)?;
    Some(keys.join("."))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Shop {
        #[serde(with = "duration", default)]
        wait: Duration,
        #[serde(default)]
        password: Secret,
        #[serde(default)]
        store: Store,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Port {
        port: u16,
    }

    impl Part for Port {
        const KEYS: &'static [&'static str] = &["Port"];
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
    struct Store {
        url: String,
        readers: u8,
    }

    impl Config for Shop {
        type Listen = Port;

        fn check(&self, mode: Mode, faults: &mut Faults) {
            if !mode.is_development() && self.password.is_empty() {
                faults.add("Password", "must be set outside development");
            }
        }
    }

    fn shop(text: &str) -> Result<Loaded<Shop>, Error> {
        parse("shop.yaml", text, &|name| match name {
            "PORT" => Some("8888".to_owned()),
            "PASSWORD" => Some("0123: #x".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn reads_keys_the_environment_and_durations() {
        let Loaded { service, listen, own: config } = shop(
            "Name: shop\nMode: dev\nPort: ${PORT}\nWait: 1500\nPassword: ${PASSWORD}\n\
             Store:\n  Url: sqlite://${FOLDER:-data}/x.db\n  Readers: 3\n",
        )
        .unwrap();
        assert_eq!((service.name.as_str(), service.mode), ("shop", Mode::Dev));
        assert_eq!((listen.port, config.wait), (8888, Duration::from_millis(1500)));
        assert_eq!(config.password.expose(), "0123: #x");
        assert_eq!((config.store.url.as_str(), config.store.readers), ("sqlite://data/x.db", 3));
        assert!(!format!("{config:?}").contains("0123"));
    }

    /// With keys of each kind, all from the environment.
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Filled {
        text: String,
        secret: Secret,
        #[serde(with = "duration")]
        wait: Duration,
        share: f64,
        on: bool,
        file: std::path::PathBuf,
        many: Vec<String>,
        numbers: Vec<u16>,
        maybe: Option<u16>,
        #[serde(default)]
        store: Store,
    }

    impl Config for Filled {
        type Listen = Port;

        fn check(&self, _: Mode, _: &mut Faults) {}
    }

    const FILLED: &str = "Name: ${TEXT}\nMode: dev\nPort: ${PORT}\nText: ${TEXT}\nSecret: ${TEXT}\nWait: ${WAIT:-1500}\n\
         Share: ${TEXT}\nOn: ${ON}\nFile: ${TEXT}\nMany: [\"${TEXT}\", b]\nNumbers: [\"${PORT}\", 2]\nMaybe: ${MAYBE:-}\n\
         Store:\n  Url: ${EMPTY}\n  Readers: ${READERS:-}\n";

    fn filled(text: &str, on: &str, port: &str) -> Result<Loaded<Filled>, Error> {
        parse("filled.yaml", FILLED, &|name| match name {
            "TEXT" => Some(text.to_owned()),
            "PORT" => Some(port.to_owned()),
            "ON" => Some(on.to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn a_text_from_the_environment_stays_what_it_is_whatever_it_looks_like() {
        for text in ["7", "0.50", "1e3", "-0", "18446744073709551616"] {
            let Loaded { service, own: config, .. } = filled(text, "true", "8888").unwrap();
            assert_eq!((service.name.as_str(), config.text.as_str()), (text, text));
            assert_eq!((config.secret.expose(), config.file.to_str()), (text, Some(text)));
            assert_eq!(config.many, [text, "b"]);
            assert_eq!(config.share, text.parse::<f64>().unwrap());
            assert_eq!((config.on, config.numbers, config.maybe), (true, vec![8888, 2], None));
            assert_eq!(config.wait, Duration::from_millis(1500));
            assert_eq!((config.store.url.as_str(), config.store.readers), ("", 0));
        }
    }

    #[test]
    fn what_the_environment_has_of_another_type_is_said_once_and_in_its_own_words() {
        let Err(Error::Faulty { faults, .. }) = filled("half", "", "99999") else { panic!("it is refused") };
        assert_eq!(
            faults,
            [
                "Port: invalid value: integer `99999`, expected u16",
                "Numbers[0]: invalid value: integer `99999`, expected u16",
                "On: the environment has ON without a value; give it one, or write ${ON:-default}",
                "Share: invalid type: string \"half\", expected f64",
            ]
        );
        // What is nothing by its own default is as if it were not there.
        let needs = |default: &str| shop(&format!("Name: shop\nMode: dev\nPort: ${{NOWHERE:-{default}}}\n"));
        assert_eq!(needs("80").unwrap().listen.port, 80);
        let Err(Error::Faulty { faults, .. }) = needs("") else { panic!("it is refused") };
        assert_eq!(faults, ["Port: is required"]);
    }

    #[track_caller]
    fn refused(text: &str, expected: &[&str]) {
        match shop(text).err().expect("it is refused") {
            Error::Faulty { faults, .. } => assert_eq!(faults, expected),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn every_fault_is_named_with_its_path() {
        refused(
            "Name: shop\nMode: dev\nPrt: 1\nPort: 99999\nWait: 2 apples\nStore:\n  Reader: 1\n",
            &[
                "Port: invalid value: integer `99999`, expected u16",
                "Prt: unknown key; did you mean `Port`?",
                "Store.Reader: unknown key; did you mean `Readers`?",
                "Wait: `2 apples` is no duration; write 500ms, 2s or 1m30s",
            ],
        );
    }

    #[test]
    fn a_missing_variable_names_its_key() {
        refused(
            "Name: shop\nMode: dev\nPort: 1\nStore:\n  Url: ${NOWHERE}\n",
            &["Store.Url: the environment has no NOWHERE; set it, or write ${NOWHERE:-default}"],
        );
    }

    #[test]
    fn combinations_are_checked_with_the_mode() {
        refused("Name: shop\nPort: 1\n", &["Password: must be set outside development"]);
        refused("Port: 1\nPassword: x\n", &["Name: is required"]);
    }

    #[test]
    fn what_is_no_yaml_is_said() {
        assert!(matches!(shop("Port: [1"), Err(Error::Malformed { .. })));
        assert!(matches!(shop("just text"), Err(Error::Malformed { .. })));
    }
}
