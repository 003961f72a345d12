#!/usr/bin/env ruby
# Sends known numbers with Debian's ruby-statsd: statsd.rb HOST PORT
require 'statsd'

client = Statsd.new(ARGV[0], ARGV[1].to_i)
client.namespace = 'ruby'
50.times do |number|
  client.increment 'svc.calls'
  client.decrement 'svc.left'
  client.count 'svc.bytes', number
  client.timing 'svc.took', number
end
# Reserved characters become underscores, module names parts.
client.count 'Svc::Inner.a:b|c@d', 9
client.gauge 'svc.level', 12.5
client.gauge 'svc.depth', 7
client.gauge 'svc.depth', '+3'
client.gauge 'svc.depth', -1
client.batch do |batch|
  95.times do |number|
    batch.set 'svc.users', "user-#{number % 37}"
    batch.increment 'svc.batched'
  end
end
client.time('svc.block') { sleep 0.02 }
100.times { client.increment 'svc.sampled', 0.5 }
