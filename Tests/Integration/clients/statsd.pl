#!/usr/bin/env perl
# Sends known numbers with Debian's Net::Statsd: statsd.pl HOST PORT
use strict;
use warnings;
use Net::Statsd;

($Net::Statsd::HOST, $Net::Statsd::PORT) = @ARGV;
for my $number (0 .. 49) {
    Net::Statsd::increment('perl.svc.calls');
    Net::Statsd::decrement('perl.svc.left');
    Net::Statsd::update_stats(['perl.svc.bytes', 'perl.svc.words'], $number);
    Net::Statsd::timing('perl.svc.took', $number);
}
Net::Statsd::gauge('perl.svc.level' => 12.5, 'perl.svc.depth' => 7);
# Several values of one name go as lines of one datagram, the last of which stays.
Net::Statsd::gauge('perl.svc.level' => 3, 'perl.svc.level' => 4.25);
# A sign moves.
Net::Statsd::gauge('perl.svc.depth' => '+3');
Net::Statsd::gauge('perl.svc.depth' => -1);
Net::Statsd::increment('perl.svc.sampled', 0.5) for 1 .. 100;
