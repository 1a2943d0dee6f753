// The compiled half of asio's TLS, as engine/async/asio_source.cc is of the rest. Nothing else
// belongs here.
#include <boost/asio/ssl/impl/src.hpp>
