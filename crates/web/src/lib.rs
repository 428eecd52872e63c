//! Pages and API of the desk.
