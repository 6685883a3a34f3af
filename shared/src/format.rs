//! The forms that a text can be asked for, by a contract (`format=email`) or by logic.

/// Each variant is a word of the contract language, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As browsers have it for `<input type=email>` (WHATWG HTML), at most 254 characters (RFC 5321, 4.5.3.1.3).
    Email,
    /// ISO 3166-1 alpha-2, in capital letters.
    Country,
    /// ISO 4217, in capital letters.
    Currency,
    /// The number of a payment card: 12 to 19 digits whose last one is the check digit (ISO/IEC 7812-1).
    Luhn,
    /// With hyphens, in any case (RFC 9562).
    Uuid,
    /// `a-z`, `0-9` and single hyphens between them.
    Slug,
    Digits,
}

impl Format {
    pub fn fits(self, text: &str) -> bool {
        match self {
            Format::Email => is_email(text),
            Format::Country => in_list(COUNTRIES, text, 2),
            Format::Currency => in_list(CURRENCIES, text, 3),
            Format::Luhn => is_card_number(text),
            Format::Uuid => text.len() == 36 && uuid::Uuid::try_parse(text).is_ok(),
            Format::Slug => text.split('-').all(|word| {
                !word.is_empty()
                    && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            }),
            Format::Digits => text.bytes().all(|byte| byte.is_ascii_digit()),
        }
    }

    /// After "must be".
    pub fn description(self) -> &'static str {
        match self {
            Format::Email => "an e-mail address",
            Format::Country => "a country code of ISO 3166-1, such as DE",
            Format::Currency => "a currency code of ISO 4217, such as EUR",
            Format::Luhn => "a card number",
            Format::Uuid => "a UUID",
            Format::Slug => "made of a-z, 0-9 and single hyphens between them",
            Format::Digits => "made of digits",
        }
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let of_local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 254 && !local.is_empty() && local.bytes().all(of_local) && domain.split('.').all(is_label)
}

fn is_card_number(text: &str) -> bool {
    let digit = |(index, byte): (usize, u8)| {
        let digit = u32::from(byte - b'0') * if index % 2 == 1 { 2 } else { 1 };
        digit / 10 + digit % 10
    };
    (12..=19).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.bytes().rev().enumerate().map(digit).sum::<u32>() % 10 == 0
}

/// `list` is words of `length`, one after the other.
fn in_list(list: &str, text: &str, length: usize) -> bool {
    text.len() == length && text.is_ascii() && list.split_ascii_whitespace().any(|word| word == text)
}

const COUNTRIES: &str = "
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Those in circulation; no funds, metals or codes for testing.
const CURRENCIES: &str = "
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK
    MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF
    SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU
    UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_knows_its_own() {
        let cases = [
            (Format::Email, "ada@example.com", true),
            (Format::Email, "ada+shop@mail.example", true),
            (Format::Email, "ada", false),
            (Format::Email, "@example.com", false),
            (Format::Email, "ada@", false),
            (Format::Email, "ada@-example.com", false),
            (Format::Email, "ada@example..com", false),
            (Format::Email, "a b@example.com", false),
            (Format::Country, "DE", true),
            (Format::Country, "de", false),
            (Format::Country, "XX", false),
            (Format::Country, "E A", false),
            (Format::Currency, "EUR", true),
            (Format::Currency, "EURO", false),
            (Format::Luhn, "4242424242424242", true),
            (Format::Luhn, "4242424242424241", false),
            (Format::Luhn, "0", false),
            (Format::Luhn, "4242 4242 4242 4242", false),
            (Format::Uuid, "0199c0de-7000-7000-8000-000000000000", true),
            (Format::Uuid, "0199c0de70007000800000000000000000000", false),
            (Format::Slug, "oak-table-2", true),
            (Format::Slug, "oak--table", false),
            (Format::Slug, "Oak", false),
            (Format::Digits, "123", true),
            (Format::Digits, "12a", false),
        ];
        for (format, text, fits) in cases {
            assert_eq!(format.fits(text), fits, "{format:?} {text}");
        }
    }

    #[test]
    fn the_lists_are_in_order_and_of_one_length() {
        for (list, length) in [(COUNTRIES, 2), (CURRENCIES, 3)] {
            let words: Vec<&str> = list.split_ascii_whitespace().collect();
            assert!(words.iter().all(|word| word.len() == length));
            assert!(words.is_sorted());
        }
        assert_eq!(COUNTRIES.split_ascii_whitespace().count(), 249);
    }
}
