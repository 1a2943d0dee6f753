// The compiled half of asio: every other file sees declarations only. Nothing else belongs here.
#include <boost/asio/impl/src.hpp>
