# A DNS server on port 53 that knows chat.example.net alone and never answers for silent.example.net, and an HTTP server that takes
# every message. For a network of its own; prints the HTTP server's port when both listen.

require "resolv"
require "socket"

DNS = Resolv::DNS
ADDRESS = DNS::Resource::IN::A

def answer(question)
  reply = DNS::Message.new(question.id)
  reply.qr = reply.rd = reply.ra = 1
  question.each_question do |name, type|
    return if name.to_s == "silent.example.net"

    reply.add_question(name, type)
    known = name.to_s == "chat.example.net"
    reply.rcode = DNS::RCode::NXDomain unless known
    reply.add_answer(name, 60, ADDRESS.new("127.0.0.1")) if known && type == ADDRESS
  end
  reply.encode
end

def take(client)
  length = 0
  while (line = client.gets) && line != "\r\n"
    length = line[/\d+/].to_i if line.downcase.start_with?("content-length:")
  end
  client.read(length)
  client.write("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
ensure
  client.close
end

names = UDPSocket.new
names.bind("127.0.0.1", 53)
Thread.new do
  loop do
    packet, (_, port, host) = names.recvfrom(4096)
    reply = answer(DNS::Message.decode(packet))
    names.send(reply, 0, host, port) if reply
  end
end
server = TCPServer.new("127.0.0.1", 0)
puts server.addr[1]
$stdout.flush
loop { take(server.accept) }
