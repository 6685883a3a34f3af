//! What the errors of a database mean: another try, a duplicate, a disk that is full, or a fault of ours.

use crate::error::Error;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => {
                Error::unavailable("the database does not answer").caused_by(error)
            }
            sqlx::Error::Database(ref cause) if is_unwell(cause.code().as_deref()) => {
                Error::unavailable("the database is not well").caused_by(error)
            }
            error => Error::internal(error),
        }
    }
}

/// SQLite's BUSY, LOCKED, IOERR, FULL and CANTOPEN, with their extended codes: the fault of others or of a disk, and not
/// the statement's.
fn is_unwell(code: Option<&str>) -> bool {
    code.and_then(|code| code.parse::<i32>().ok())
        .is_some_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13 | 14))
}

/// Whether the same transaction may well succeed now: SQLite's BUSY and LOCKED, with their extended codes.
pub(super) fn is_transient(error: &Error) -> bool {
    let code = database_error(error).and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

/// Whether a unique key is in the way.
pub fn is_duplicate(error: &Error) -> bool {
    database_error(error).is_some_and(|error| error.is_unique_violation())
}

fn database_error(error: &Error) -> Option<&dyn sqlx::error::DatabaseError> {
    let source = std::error::Error::source(error)?.downcast_ref::<sqlx::Error>()?;
    source.as_database_error()
}
