import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** A broker's front door with Java: PORT CERT KEY CAS, all PEM. Licensed under Apache-2.0 OR MIT. */
public final class Server {
    public static void main(String[] words) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        byte[] key = Base64.getMimeDecoder().decode(
            Files.readString(Path.of(words[2])).replaceAll("-----[A-Z ]*-----", ""));
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry("server", KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(key)), new char[0],
            factory.generateCertificates(new ByteArrayInputStream(Files.readAllBytes(Path.of(words[1])))).toArray(new Certificate[0]));
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, new char[0]);
        KeyStore cas = KeyStore.getInstance("PKCS12");
        cas.load(null, null);
        int number = 0;
        for (Certificate ca : factory.generateCertificates(new ByteArrayInputStream(Files.readAllBytes(Path.of(words[3]))))) {
            cas.setCertificateEntry("ca" + number++, ca);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(cas);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory()
            .createServerSocket(Integer.parseInt(words[0]), 50, InetAddress.getByName("127.0.0.1"));
        listener.setNeedClientAuth(true);
        listener.setEnabledProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        System.out.println("listening");
        while (true) {
            SSLSocket socket = (SSLSocket) listener.accept();
            new Thread(() -> serve(socket)).start();
        }
    }

    private static void serve(SSLSocket socket) {
        try (socket) {
            socket.setSoTimeout(120000);
            DataInputStream in = new DataInputStream(socket.getInputStream());
            while (true) {
                int kind = in.readUnsignedByte();
                in.readNBytes(in.readUnsignedByte());
                switch (kind) {
                    case 0x10 -> socket.getOutputStream().write(new byte[] {0x20, 2, 0, 0});
                    case 0xc0 -> socket.getOutputStream().write(new byte[] {(byte) 0xd0, 0});
                    default -> { }
                }
            }
        } catch (Exception end) {
            System.out.println("ended: " + end.getMessage());
        }
    }
}
